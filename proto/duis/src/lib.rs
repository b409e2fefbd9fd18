//! DUIS and MMC messages with their XML signatures.
//!
//! DUIS is the XML a DCC user and the DCC exchange; MMC is the form in which a device's answer is put in it. This crate
//! makes, reads, signs and checks those messages for SMETS1 devices. It does no I/O and reads no clock.
//!
//! ```text
//! user ── Request, signed ──> DCC ── CountersignedServiceRequest ──> S1SP ──> device
//! user <── Response, signed by the DCC, holding SMETS1SignedResponse, signed by the S1SP
//! ```
//!
//! Reading goes in steps that each refuse before the next begins: octets become a tree within fixed limits (`xml`), the
//! tree becomes a message whose every element is known ([`Request`], [`Response`]), and `open` checks each
//! signature by its parent and reads the message anew from the octets that were signed ([`dsig`]).

#[macro_use]
mod text;

pub mod body;
mod compare;
mod describe;
mod document;
pub mod dsig;
pub mod examples;
pub mod foreign;
mod identity;
mod message;
pub mod mmc;
pub mod pki;
mod response_code;
mod srv;
pub mod utrn;
mod vocabulary;
mod xml;

pub use body::{
    ActivateFirmware, AddDeviceToWhitelist, CalendarDate, CertificationPath, CreateSchedule, CurrencyUnits,
    DateOffset, DecommissionDevice, DeviceDetails, DevicePrenotification, DeviceStatusUpdate,
    ElectricityPrice, ElectricityTariff, EncodedCertificate, EsmeVariant, FieldError, FirmwareFieldError,
    FirmwareHash, FirmwareImage, FirmwareVersion, GasPrice, GasTariff, HubStatusUpdate, InstallCode,
    InventoryQuery, InventoryUpdate, JoinOrUnjoinDevice, JoinTimePeriod, KnownField, KnownPartyCertificates,
    LogRequest, LogToRead, MeteringPoint, Mpan, Mpxn, NewPartyCertificates, NoContent, OnDemandOrFutureDated,
    PaymentMode, PrenotifiedType, Present, Prices, PropertyFilter, ReadDeviceLog, ReadEventOrSecurityLog,
    ReadLog, ReadLogPeriod, ReadLogPeriodOffset, ReadLogWithCredentials, RemotePartyRole, RequestBody,
    RestoreGpfDeviceLog, RestoreHanDeviceLog, RetrieveSecurityCredentials, ScheduleFrequency, ScheduleId,
    ScheduleSelection, ScheduledLog, ScheduledRead, ScheduledRegisters, ScheduledRequest, SynchroniseClock,
    TimeOfDay, TolerancePeriod, TopUpDevice, UpdateFirmware, UpdateHanDeviceLog, UpdateInventory,
    UpdatePaymentMode, UpdatePrice, Uprn,
};
pub use compare::{Difference, differences};
pub use describe::{Description, SignatureDescription, describe};
pub use document::{canonical_form, sign_document};
pub use dsig::{Certificate, CertificateError, DsigError, KeyPurpose, Party, PartyKind, Signer, TrustStore};
pub use identity::{
    DeviceIdList, DeviceIdListError, Eui64, Eui64Error, MessageIdError, RequestId, ResponseId,
};
pub use message::{
    ClockStatus, CommandVariant, CommandVariantError, CountersignedRequest, DccAlertMessage, DccContent,
    DeviceAlert, InventoryDevice, Message, MessageError, Opened, Request, Response, ResponseBody,
    ResponseMessage, ResponsePayload, S1spAlert, SCHEMA_VERSION, ScheduledReading, Signed, Smets1Body,
    Smets1Debug, Smets1Response, Smets1ResponseMessage, Smets1Timestamp, StoredSchedule,
    UpdateFirmwareWarning,
};
pub use mmc::{MmcBody, MmcElement};
pub use response_code::{ResponseCode, ResponseCodeError};
pub use srv::{FutureDating, Smets1Use, Srv, Unverified};
pub use text::UnknownWord;
pub use vocabulary::{AlertCode, AlertCodeError, DeviceKind, DeviceStatus, UserRole};
pub use xml::{MAX_OCTETS, Position, SchemaError, SchemaProblem, XmlError, XmlProblem};
