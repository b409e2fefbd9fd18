//! The form of each answer in MMC 5.4: which elements, in which order, how often, with what text. Data, not logic.

use super::form::{Form, answer_form};
use crate::Srv;

mod configuration;
mod devices;
mod read;
mod shared;
mod tariff;

pub(super) use shared::STATUS_ASN1;

/// The form of the answer to a variant; none where the DCC itself answers.
pub(super) const fn answer(srv: Srv) -> Option<&'static Form> {
    Some(match srv {
        Srv::UpdatePricePrimaryElement => &NO_DATA,
        Srv::UpdatePaymentMode => &NO_DATA,
        Srv::TopUpDevice => &NO_DATA,
        Srv::ReadInstantaneousImportRegisters => &read::READ_INSTANTANEOUS_IMPORT_REGISTERS_RSP,
        Srv::ReadInstantaneousPrepayValues => &read::READ_INSTANTANEOUS_PREPAY_VALUES_RSP,
        Srv::ReadActiveImportProfileData => &read::READ_ACTIVE_IMPORT_PROFILE_DATA_RSP,
        Srv::ReadTariffPrimaryElement => &tariff::READ_TARIFF_PRIMARY_ELEMENT_RSP,
        Srv::ReadActivePowerImport => &read::READ_ACTIVE_POWER_IMPORT_RSP,
        Srv::ReadMeterBalance => &read::READ_METER_BALANCE_RSP,
        Srv::ReadDeviceConfigurationIdentityExcMPxN => &configuration::READ_DEVICE_CONFIGURATION_IDENTITY_EXC_MPXN_RSP,
        Srv::SynchroniseClock => &configuration::SYNCHRONISE_CLOCK_RSP,
        Srv::ReadEventOrSecurityLog => &configuration::READ_EVENT_OR_SECURITY_LOG_RSP,
        Srv::EnableSupply => &NO_DATA,
        Srv::DisableSupply => &NO_DATA,
        Srv::ArmSupply => &NO_DATA,
        Srv::ReadSupplyStatus => &devices::READ_SUPPLY_STATUS_RSP,
        Srv::ReadDeviceLog => &devices::READ_DEVICE_LOG_RSP,
        Srv::ReadFirmwareVersion => &devices::READ_FIRMWARE_VERSION_RSP,
        Srv::ActivateFirmware => &devices::ACTIVATE_FIRMWARE_RSP,
        Srv::ReadInventory | Srv::UpdateFirmware => return None,
    })
}

const NO_DATA: Form = answer_form(&[]);
