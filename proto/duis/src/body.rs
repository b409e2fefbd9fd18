//! What a Service Request asks: one type per Service Reference Variant.
//!
//! A body is made in two ways: from the named fields of a script ([`RequestBody::from_fields`]) and from XML. Both refuse
//! what they do not know, by name and place. The fields a variant takes are listed by [`RequestBody::fields`]; their
//! names are the element names of DUIS, with the DUIS `index` attribute in brackets where an element has one.

#[macro_use]
mod shape;
#[macro_use]
mod leaf;

mod alert_behaviour;
mod calendar;
mod configuration;
mod credentials;
mod customer;
mod devices;
mod fields;
mod firmware;
pub(crate) mod part;
mod parts;
mod prepayment;
mod price;
mod read;
mod recurring_date;
mod schedule;
mod tariff;
mod units;

#[cfg(test)]
mod tests;

pub use alert_behaviour::*;
pub use calendar::*;
pub use configuration::*;
pub use credentials::*;
pub use customer::*;
pub use devices::*;
pub use fields::{FieldError, KnownField};
pub use firmware::{
    ActivateFirmware, FirmwareFieldError, FirmwareHash, FirmwareImage, FirmwareVersion, UpdateFirmware,
};
pub use leaf::{CalendarDate, EncodedCertificate, Present, TimeOfDay};
pub use part::{CountError, Numbered, Several};
pub use parts::{
    LogToRead, PaymentMode, ReadEventOrSecurityLog, SynchroniseClock, TolerancePeriod, TopUpDevice,
    UpdatePaymentMode,
};
pub use prepayment::*;
pub use price::*;
pub use read::*;
pub use recurring_date::*;
pub use schedule::*;
pub use tariff::*;

use crate::Srv;
use crate::examples::Draw;
use crate::xml::{Element, Reading, SchemaError, Space::Sr};
use fields::{Field, FieldReader};
use jiff::Timestamp;
use part::{At, Value};
use std::collections::BTreeMap;

/// The content of one body element.
pub(crate) trait Content: Sized {
    /// The fields a script may give.
    const FIELDS: &'static [Field] = &[];

    /// The same, where they are put together from parts.
    fn fields() -> Vec<KnownField> {
        Self::FIELDS.iter().map(KnownField::from).collect()
    }

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

    /// Its fields, as a script would give them.
    fn to_fields(&self) -> BTreeMap<String, String>;

    /// Some content; none where what was drawn makes none.
    fn sample(draw: &mut Draw<'_>) -> Option<Self>;
}

impl<V: Value> Content for V {
    fn fields() -> Vec<KnownField> {
        let mut known = Vec::new();
        V::list(&At::body(), &mut known);
        known
    }

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        V::take(fields, &At::body())
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        V::read(body, &[])
    }

    fn children(&self) -> Vec<Element> {
        self.write(Element::new(Sr, "Body")).children
    }

    fn to_fields(&self) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        self.give(&At::body(), &mut fields);
        fields
    }

    fn sample(draw: &mut Draw<'_>) -> Option<Self> {
        Some(V::sample(draw))
    }

    fn execution(&self) -> Option<Timestamp> {
        Value::execution(self)
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
            pub fn fields(srv: Srv) -> Vec<KnownField> {
                match srv { $(Srv::$variant => <$content as Content>::fields(),)+ }
            }

            /// A body drawn at random; none where what was drawn makes none.
            pub(crate) fn sample(srv: Srv, draw: &mut Draw<'_>) -> Option<RequestBody> {
                Some(match srv {
                    $(Srv::$variant => RequestBody::$variant(<$content as Content>::sample(draw)?),)+
                })
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

            /// The fields of a script that make this body.
            pub fn to_fields(&self) -> BTreeMap<String, String> {
                match self { $(RequestBody::$variant(content) => Content::to_fields(content),)+ }
            }

            /// `ExecutionDateTime`: when a future-dated request is to be done; at once where there is none.
            pub fn execution(&self) -> Option<Timestamp> {
                match self { $(RequestBody::$variant(content) => Content::execution(content),)+ }
            }
        }
    };
}

bodies! {
    UpdateImportTariffPrimaryElement(UpdateImportTariff),
    UpdatePricePrimaryElement(UpdatePrice),
    UpdateMeterBalance(UpdateMeterBalance),
    UpdatePaymentMode(UpdatePaymentMode),
    ResetTariffBlockCounterMatrix(NoContent),
    UpdatePrepayConfiguration(UpdatePrepayConfiguration),
    TopUpDevice(TopUpDevice),
    UpdateDebt(UpdateDebt),
    ActivateEmergencyCredit(NoContent),
    DisplayMessage(DisplayMessage),
    RestrictAccessForChangeOfTenancy(RestrictAccessForChangeOfTenancy),
    ClearEventLog(ClearEventLog),
    UpdateSupplierName(UpdateSupplierName),
    DisablePrivacyPIN(NoContent),
    ReadInstantaneousImportRegisters(OnDemandOrFutureDated),
    ReadInstantaneousImportTOUMatrices(OnDemandOrFutureDated),
    ReadInstantaneousImportTOUWithBlocksMatrices(OnDemandOrFutureDated),
    ReadInstantaneousImportBlockCounters(OnDemandOrFutureDated),
    ReadInstantaneousExportRegisters(OnDemandOrFutureDated),
    ReadInstantaneousPrepayValues(OnDemandOrFutureDated),
    RetrieveCoMOrTariffTriggeredBillingDataLog(ReadLogWithCredentials),
    RetrieveBillingCalendarTriggeredBillingDataLog(ReadLogWithCredentials),
    RetrieveBillingDataLogDebtPayments(ReadLog),
    RetrieveBillingDataLogPrepaymentCredits(ReadLog),
    RetrieveImportDailyReadLog(ReadLogWithCredentials),
    RetrieveExportDailyReadLog(ReadLog),
    ReadActiveImportProfileData(ReadLogWithCredentials),
    ReadReactiveImportProfileData(ReadLog),
    ReadExportProfileData(ReadLog),
    ReadNetworkData(ReadLogWithCredentials),
    ReadTariffPrimaryElement(NoContent),
    ReadMaximumDemandImportRegisters(OnDemandOrFutureDated),
    ReadMaximumDemandExportRegisters(OnDemandOrFutureDated),
    ReadPrepaymentConfiguration(OnDemandOrFutureDated),
    ReadPrepaymentDailyReadLog(ReadLogWithCredentials),
    ReadLoadLimitData(OnDemandOrFutureDated),
    ReadActivePowerImport(NoContent),
    RetrieveDailyConsumptionLog(ReadLogWithCredentials),
    ReadMeterBalance(OnDemandOrFutureDated),
    CreateSchedule(CreateSchedule),
    ReadSchedule(ScheduleSelection),
    DeleteSchedule(ScheduleSelection),
    ReadDeviceConfigurationVoltage(NoContent),
    ReadDeviceConfigurationBillingCalendar(NoContent),
    ReadDeviceConfigurationIdentityExcMPxN(NoContent),
    ReadDeviceConfigurationInstantaneousPowerThresholds(NoContent),
    ReadDeviceConfigurationMPxN(NoContent),
    ReadDeviceConfigurationGas(NoContent),
    ReadDeviceConfigurationPaymentMode(NoContent),
    ReadDeviceConfigurationEventAndAlertBehaviours(NoContent),
    UpdateDeviceConfigurationLoadLimitingGeneralSettings(LoadLimitingGeneralSettings),
    UpdateDeviceConfigurationLoadLimitingCounterReset(OnDemandOrFutureDated),
    UpdateDeviceConfigurationVoltage(UpdateVoltageConfiguration),
    UpdateDeviceConfigurationGasConversion(UpdateGasConversion),
    UpdateDeviceConfigurationGasFlow(UpdateGasFlow),
    UpdateDeviceConfigurationBillingCalendar(BillingCalendar),
    SynchroniseClock(SynchroniseClock),
    UpdateDeviceConfigurationInstantaneousPowerThreshold(InstantaneousPowerThresholds),
    ReadEventOrSecurityLog(ReadEventOrSecurityLog),
    UpdateSecurityCredentialsKRP(UpdateSecurityCredentialsKrp),
    SetMaximumDemandConfigurableTimePeriod(MaximumDemandTimePeriod),
    ResetMaximumDemandRegisters(ResetMaximumDemand),
    SetDeviceConfigurationImportMPxN(SetImportMpxn),
    SetDeviceConfigurationExportMPAN(SetExportMpan),
    RequestHandoverOfDCCControlledDevice(RequestHandover),
    ConfigureAlertBehaviour(ConfigureAlertBehaviour),
    UpdateSecurityCredentialsCoS(UpdateSecurityCredentialsCos),
    RetrieveDeviceSecurityCredentialsKRP(RetrieveSecurityCredentials),
    SetElectricitySupplyTamperState(SetSupplyTamperState),
    UpdateDeviceConfigurationDailyResettingOfTariffBlockCounterMatrix(DailyBlockCounterReset),
    UpdateDeviceConfigurationRMSVoltageCounterReset(OnDemandOrFutureDated),
    EnableSupply(NoContent),
    DisableSupply(NoContent),
    ArmSupply(NoContent),
    ReadSupplyStatus(NoContent),
    CommissionDeviceSynchroniseClock(SynchroniseClock),
    ReadInventory(InventoryQuery),
    DecommissionDevice(DecommissionDevice),
    UpdateInventory(UpdateInventory),
    JoinServiceCritical(JoinOrUnjoinDevice),
    JoinServiceNonCritical(JoinOrUnjoinDevice),
    UnjoinServiceCritical(JoinOrUnjoinDevice),
    UnjoinServiceNonCritical(JoinOrUnjoinDevice),
    ReadDeviceLog(ReadDeviceLog),
    UpdateHANDeviceLog(UpdateHanDeviceLog),
    RestoreHANDeviceLog(RestoreHanDeviceLog),
    RestoreGPFDeviceLog(RestoreGpfDeviceLog),
    RequestCustomerIdentificationNumber(NoContent),
    UpdateFirmware(UpdateFirmware),
    ReadFirmwareVersion(OnDemandOrFutureDated),
    ActivateFirmware(ActivateFirmware),
    DevicePrenotification(DevicePrenotification),
    RecordNetworkDataGAS(NoContent),
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
        reader.finish(&RequestBody::fields(srv))?;
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
