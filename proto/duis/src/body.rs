//! What a Service Request asks: one type per Service Reference Variant.
//!
//! A body is made in two ways: from the named fields of a script ([`RequestBody::from_fields`]) and from XML. Both refuse
//! what they do not know, by name and place. The fields a variant takes are listed by [`RequestBody::fields`]; their
//! names are the element names of DUIS, with the DUIS `index` attribute in brackets where an element has one.

mod fields;
mod firmware;
mod parts;
mod price;

#[cfg(test)]
mod tests;

pub use fields::{Field, FieldError};
pub use firmware::{
    ActivateFirmware, FirmwareFieldError, FirmwareHash, FirmwareImage, FirmwareVersion, UpdateFirmware,
};
pub use parts::{
    InventoryQuery, LogToRead, NoContent, OnDemandOrFutureDated, PaymentMode, ReadActiveImportProfileData,
    ReadDeviceLog, ReadEventOrSecurityLog, ReadInventory, ReadLogPeriod, SynchroniseClock, TolerancePeriod,
    TopUpDevice, UpdatePaymentMode,
};
pub use price::{
    BlockPrices, CurrencyUnits, ElectricityPrice, ElectricityTariff, GasPrice, GasTariff, IndexedPrice,
    Prices, UpdatePrice,
};

use crate::Srv;
use crate::xml::{Element, Reading, SchemaError, Space::Sr};
use fields::FieldReader;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The content of one body element.
pub(crate) trait Content: Sized {
    /// The fields a script may give.
    const FIELDS: &'static [Field];

    /// Takes its fields.
    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError>;

    /// Reads its children.
    fn read(body: &Reading<'_>) -> Result<Self, SchemaError>;

    /// Writes its children.
    fn children(&self) -> Vec<Element>;

    /// When it is to be done: at once where this is none.
    fn execution(&self) -> Option<Timestamp> {
        None
    }
}

macro_rules! bodies {
    ($($variant:ident($content:ty),)+) => {
        /// What is asked, by Service Reference Variant; each variant is named for its body element.
        #[derive(Debug, Clone, PartialEq)]
        pub enum RequestBody {
            $(#[doc = concat!("The body element `", stringify!($variant), "`.")] $variant($content),)+
        }

        impl RequestBody {
            /// The Service Reference Variant.
            pub const fn srv(&self) -> Srv {
                match self { $(RequestBody::$variant(_) => Srv::$variant,)+ }
            }

            /// The fields a script may give for a variant.
            pub const fn fields(srv: Srv) -> &'static [Field] {
                match srv { $(Srv::$variant => <$content as Content>::FIELDS,)+ }
            }

            fn take(srv: Srv, fields: &mut FieldReader<'_>) -> Result<RequestBody, FieldError> {
                Ok(match srv {
                    $(Srv::$variant => RequestBody::$variant(<$content as Content>::from_fields(fields)?),)+
                })
            }

            fn read_content(srv: Srv, content: &Reading<'_>) -> Result<RequestBody, SchemaError> {
                Ok(match srv {
                    $(Srv::$variant => RequestBody::$variant(<$content as Content>::read(content)?),)+
                })
            }

            fn children(&self) -> Vec<Element> {
                match self { $(RequestBody::$variant(content) => content.children(),)+ }
            }

            /// `ExecutionDateTime`: when a future-dated request is to be done; at once where there is none.
            pub fn execution(&self) -> Option<Timestamp> {
                match self { $(RequestBody::$variant(content) => content.execution(),)+ }
            }
        }
    };
}

bodies! {
    UpdatePricePrimaryElement(UpdatePrice),
    UpdatePaymentMode(UpdatePaymentMode),
    TopUpDevice(TopUpDevice),
    ReadInstantaneousImportRegisters(OnDemandOrFutureDated),
    ReadInstantaneousPrepayValues(OnDemandOrFutureDated),
    ReadActiveImportProfileData(ReadActiveImportProfileData),
    ReadTariffPrimaryElement(NoContent),
    ReadActivePowerImport(NoContent),
    ReadMeterBalance(OnDemandOrFutureDated),
    ReadDeviceConfigurationIdentityExcMPxN(NoContent),
    SynchroniseClock(SynchroniseClock),
    ReadEventOrSecurityLog(ReadEventOrSecurityLog),
    EnableSupply(NoContent),
    DisableSupply(NoContent),
    ArmSupply(NoContent),
    ReadSupplyStatus(NoContent),
    ReadInventory(ReadInventory),
    ReadDeviceLog(ReadDeviceLog),
    UpdateFirmware(UpdateFirmware),
    ReadFirmwareVersion(OnDemandOrFutureDated),
    ActivateFirmware(ActivateFirmware),
}

impl RequestBody {
    /// Makes a body from the fields of a script.
    ///
    /// ```
    /// use proto_duis::{RequestBody, Srv};
    /// let fields = [("CurrentDateTime", "2026-11-21T09:30:00Z"), ("TolerancePeriod", "10")];
    /// let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    /// let body = RequestBody::from_fields(Srv::SynchroniseClock, &fields)?;
    /// assert_eq!(body.srv(), Srv::SynchroniseClock);
    /// # Ok::<(), proto_duis::FieldError>(())
    /// ```
    ///
    /// # Errors
    /// A field is missing, unknown, or not of its form; the error names it and says what is expected.
    pub fn from_fields(srv: Srv, fields: &BTreeMap<String, String>) -> Result<RequestBody, FieldError> {
        let mut reader = FieldReader::new(srv, fields);
        let body = RequestBody::take(srv, &mut reader)?;
        reader.finish(RequestBody::fields(srv))?;
        Ok(body)
    }

    pub(crate) fn to_element(&self) -> Element {
        Element::new(Sr, self.srv().body_element()).with_all(self.children())
    }

    /// Reads the one child of `Body`, which must be that of `srv`.
    pub(crate) fn read(body: &Reading<'_>, srv: Srv) -> Result<RequestBody, SchemaError> {
        let mut choice = body.children(&[])?;
        let read = RequestBody::read_content(srv, &choice.required(Sr, srv.body_element())?)?;
        choice.finish()?;
        Ok(read)
    }
}
