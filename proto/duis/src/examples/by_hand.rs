//! Requests as a script asks for them, of the variants that set up what a device does: tariffs, prepayment, messages,
//! configuration and credentials.

use super::{DEVICE, USER};
use crate::body::part::Value;
use crate::body::{BillingCalendar, RemotePartyRole};
use crate::mmc::build::{
    self, AlertBehaviours, CertificateUse, Decimal, GasEventDestinations, GasSettings, HeldCredentials,
    MeterPoints, ModeOfPayment, NetworkOperatorAlerts, Replacement, SupplierAlerts, VoltageSettings,
};
use crate::mmc::build::{ReplacementMode, Replacing};
use crate::mmc::{FormError, MmcBody};
use crate::{AlertCode, Srv, examples::Draw};

type Fields = &'static [(&'static str, &'static str)];

const TARIFF: &[(&str, &str)] = &[
    ("CurrencyUnits", "GBP"),
    ("DayProfile[1].DayName", "1"),
    ("DayProfile[1].ProfileSchedule[1].StartTime", "00:00:00Z"),
    ("DayProfile[1].ProfileSchedule[1].TOUTariffAction", "2"),
    ("DayProfile[1].ProfileSchedule[2].StartTime", "07:00:00Z"),
    ("DayProfile[1].ProfileSchedule[2].TOUTariffAction", "1"),
    ("WeekProfile[1].WeekName", "1"),
    ("WeekProfile[1].ReferencedDayName[1]", "1"),
    ("WeekProfile[1].ReferencedDayName[2]", "1"),
    ("WeekProfile[1].ReferencedDayName[3]", "1"),
    ("WeekProfile[1].ReferencedDayName[4]", "1"),
    ("WeekProfile[1].ReferencedDayName[5]", "1"),
    ("WeekProfile[1].ReferencedDayName[6]", "1"),
    ("WeekProfile[1].ReferencedDayName[7]", "1"),
    ("Season[1].SeasonName", "all year"),
    ("Season[1].SeasonStartDate", "*-01-01"),
    ("Season[1].ReferencedWeekName", "1"),
    ("SpecialDay[1].Date", "*-12-25"),
    ("SpecialDay[1].ReferencedDayName", "1"),
    ("Thresholds[1].BlockThreshold[1]", "0"),
    ("Thresholds[2].BlockThreshold[1]", "0"),
    ("Thresholds[3].BlockThreshold[1]", "0"),
    ("Thresholds[4].BlockThreshold[1]", "0"),
    ("Thresholds[5].BlockThreshold[1]", "0"),
    ("Thresholds[6].BlockThreshold[1]", "0"),
    ("Thresholds[7].BlockThreshold[1]", "0"),
    ("Thresholds[8].BlockThreshold[1]", "0"),
    ("StandingCharge", "5300"),
    ("StandingChargeScale", "-2"),
    ("PriceScale", "-5"),
    ("TOUPrice[1]", "2750"),
    ("TOUPrice[2]", "1410"),
];

const GAS_TARIFF: &[(&str, &str)] = &[
    ("CurrencyUnits", "GBP"),
    ("DayProfile[1].DayName", "1"),
    ("DayProfile[1].BlockTariff", "true"),
    ("WeekProfile[1].WeekName", "1"),
    ("WeekProfile[1].ReferencedDayName[1]", "1"),
    ("WeekProfile[1].ReferencedDayName[2]", "1"),
    ("WeekProfile[1].ReferencedDayName[3]", "1"),
    ("WeekProfile[1].ReferencedDayName[4]", "1"),
    ("WeekProfile[1].ReferencedDayName[5]", "1"),
    ("WeekProfile[1].ReferencedDayName[6]", "1"),
    ("WeekProfile[1].ReferencedDayName[7]", "1"),
    ("Season[1].SeasonStartDate", "*-01-01"),
    ("Season[1].ReferencedWeekName", "1"),
    ("BlockThreshold[1]", "500000"),
    ("StandingCharge", "29000"),
    ("BlockPrice[1]", "6240"),
    ("BlockPrice[2]", "5900"),
    ("NumberOfThresholds", "1"),
];

const PREPAYMENT: &[(&str, &str)] = &[
    ("DebtRecoveryRateCap", "5000"),
    ("EmergencyCreditLimit", "500000"),
    ("EmergencyCreditThreshold", "100000"),
    ("LowCreditThreshold", "200000"),
    ("ElectricityNonDisablementSchedule[1].NonDisablementScript", "START"),
    ("ElectricityNonDisablementSchedule[1].DayOfWeekApplicability[1].DayOfWeekID", "Saturday"),
    ("ElectricityNonDisablementSchedule[1].SpecialDayApplicability[1].SpecialDayID", "1"),
    ("ElectricityNonDisablementSchedule[1].SwitchTime", "18:00:00Z"),
    ("ElectricityNonDisablementSchedule[1].StartDate", "2026-01-01"),
    ("ElectricityNonDisablementSchedule[1].EndDate", "2036-12-31"),
    ("SpecialDay[1].Date", "*-12-25"),
    ("MaxMeterBalance", "25000000"),
    ("MaxCreditThreshold", "5000000"),
];

const GAS_PREPAYMENT: &[(&str, &str)] = &[
    ("DebtRecoveryRateCap", "5000"),
    ("EmergencyCreditLimit", "500"),
    ("EmergencyCreditThreshold", "100"),
    ("LowCreditThreshold", "200"),
    ("GasNonDisablementDayProfile[1].GasDayName", "1"),
    ("GasNonDisablementDayProfile[1].TimeStartAction[1].StartTime", "18:00:00Z"),
    ("GasNonDisablementDayProfile[1].TimeStartAction[1].NonDisablementAction", "START"),
    ("WeekProfile[1].WeekName", "1"),
    ("WeekProfile[1].ReferencedDayName[1]", "1"),
    ("WeekProfile[1].ReferencedDayName[2]", "1"),
    ("WeekProfile[1].ReferencedDayName[3]", "1"),
    ("WeekProfile[1].ReferencedDayName[4]", "1"),
    ("WeekProfile[1].ReferencedDayName[5]", "1"),
    ("WeekProfile[1].ReferencedDayName[6]", "1"),
    ("WeekProfile[1].ReferencedDayName[7]", "1"),
    ("Season[1].SeasonStartDate", "*-01-01"),
    ("Season[1].ReferencedWeekName", "1"),
    ("SpecialDay[1].Date", "*-*-* Sunday"),
    ("SpecialDay[1].ReferencedDayName", "1"),
    ("MaxMeterBalance", "25000"),
    ("MaxCreditThreshold", "5000"),
];

const VOLTAGE: &[(&str, &str)] = &[
    ("RMSExtremeOverVoltageMeasurementPeriod", "60"),
    ("RMSExtremeOverVoltageThreshold", "2650"),
    ("RMSExtremeUnderVoltageMeasurementPeriod", "60"),
    ("RMSExtremeUnderVoltageThreshold", "1950"),
    ("RMSVoltageSagMeasurementPeriod", "10"),
    ("RMSVoltageSagThreshold", "2100"),
    ("RMSVoltageSwellMeasurementPeriod", "10"),
    ("RMSVoltageSwellThreshold", "2550"),
    ("AverageRMSOverVoltageThreshold", "2530"),
    ("AverageRMSUnderVoltageThreshold", "2160"),
    ("AverageRMSVoltageMeasurementPeriod", "1800"),
];

/// Fields of requests, several for a variant whose body has alternatives.
pub(super) const FIELDS: &[(Srv, Fields)] = &[
    (Srv::UpdateImportTariffPrimaryElement, TARIFF),
    (Srv::UpdateImportTariffPrimaryElement, GAS_TARIFF),
    (Srv::UpdateMeterBalance, &[("PrepaymentMode.AdjustMeterBalance", "-250000")]),
    (Srv::UpdateMeterBalance, &[("CreditMode.ResetMeterBalance", "true")]),
    (Srv::ResetTariffBlockCounterMatrix, &[]),
    (Srv::UpdatePrepayConfiguration, PREPAYMENT),
    (Srv::UpdatePrepayConfiguration, GAS_PREPAYMENT),
    (
        Srv::UpdateDebt,
        &[
            ("TimeDebtRegister1", "1000000"),
            ("TimeDebtRegister2", "0"),
            ("PaymentDebtRegister", "500000"),
            ("DebtRecoveryPerPayment", "2500"),
            ("ElecDebtRecovery1.DebtRecoveryRate", "50"),
            ("ElecDebtRecovery1.DebtRecoveryRatePriceScale", "-2"),
            ("ElecDebtRecovery1.DebtRecoveryRatePeriod", "DAILY"),
            ("ElecDebtRecovery2.DebtRecoveryRate", "0"),
            ("ElecDebtRecovery2.DebtRecoveryRatePriceScale", "-2"),
            ("ElecDebtRecovery2.DebtRecoveryRatePeriod", "HOURLY"),
        ],
    ),
    (
        Srv::UpdateDebt,
        &[
            ("TimeDebtRegister1", "1000"),
            ("TimeDebtRegister2", "0"),
            ("PaymentDebtRegister", "500"),
            ("DebtRecoveryPerPayment", "2500"),
            ("GasDebtRecovery1.DebtRecoveryRate", "50"),
            ("GasDebtRecovery1.DebtRecoveryRatePeriod", "DAILY"),
            ("GasDebtRecovery2.DebtRecoveryRate", "0"),
            ("GasDebtRecovery2.DebtRecoveryRatePeriod", "HOURLY"),
        ],
    ),
    (Srv::ActivateEmergencyCredit, &[]),
    (Srv::DisplayMessage, &[("SupplierMessage", "Your meter will be replaced on Monday")]),
    (Srv::RestrictAccessForChangeOfTenancy, &[("RestrictionDateTime", "2026-11-20T00:00:00Z")]),
    (Srv::ClearEventLog, &[]),
    (Srv::ClearEventLog, &[("ESMEEventLogType", "ESME")]),
    (
        Srv::UpdateSupplierName,
        &[("SupplierName", "Lab Supply"), ("SupplierTelephoneNumber", "0800 000 0000")],
    ),
    (Srv::DisablePrivacyPIN, &[]),
    (Srv::ReadDeviceConfigurationVoltage, &[]),
    (Srv::ReadDeviceConfigurationBillingCalendar, &[]),
    (Srv::ReadDeviceConfigurationInstantaneousPowerThresholds, &[]),
    (Srv::ReadDeviceConfigurationMPxN, &[]),
    (Srv::ReadDeviceConfigurationGas, &[]),
    (Srv::ReadDeviceConfigurationPaymentMode, &[]),
    (Srv::ReadDeviceConfigurationEventAndAlertBehaviours, &[]),
    (
        Srv::UpdateDeviceConfigurationLoadLimitingGeneralSettings,
        &[
            ("LoadLimitPeriod", "60"),
            ("LoadLimitPowerThreshold", "6000"),
            ("LoadLimitRestorationPeriod", "1800"),
            ("LoadLimitSupplyState", "Disable"),
        ],
    ),
    (Srv::UpdateDeviceConfigurationLoadLimitingCounterReset, &[]),
    (Srv::UpdateDeviceConfigurationVoltage, VOLTAGE),
    (
        Srv::UpdateDeviceConfigurationGasConversion,
        &[("CalorificValue", "39.4"), ("ConversionFactor", "1.02264")],
    ),
    (
        Srv::UpdateDeviceConfigurationGasFlow,
        &[
            ("UncontrolledGasFlowRateDecimal", "0.0125"),
            ("SupplyDepletionState", "Locked"),
            ("SupplyTamperState", "Unchanged"),
            ("StabilisationPeriod", "10"),
            ("MeasurementPeriod", "60"),
        ],
    ),
    (Srv::UpdateDeviceConfigurationBillingCalendar, &[("BillingTime", "00:00:00Z"), ("Monthly", "1")]),
    (
        Srv::UpdateDeviceConfigurationBillingCalendar,
        &[
            ("BillingTime", "00:00:00Z"),
            ("Quarterly.DayOfMonth", "28"),
            ("Quarterly.BillingPeriodStartMonth", "3"),
        ],
    ),
    (
        Srv::UpdateDeviceConfigurationBillingCalendar,
        &[("BillingPeriodStart", "2026-12-01T06:00:00Z"), ("Periodicity", "Monthly")],
    ),
    (
        Srv::UpdateDeviceConfigurationInstantaneousPowerThreshold,
        &[("LowMediumPowerThreshold", "500"), ("MediumHighPowerThreshold", "3000")],
    ),
    (
        Srv::UpdateSecurityCredentialsKRP,
        &[
            ("RemotePartyRole", "Supplier"),
            ("KeyAgreementCertificate", "MIIB"),
            ("Certificate[1]", "MIIB"),
            ("ApplyTimeBasedCPVChecks", "false"),
        ],
    ),
    (Srv::SetMaximumDemandConfigurableTimePeriod, &[("StartTime", "16:00:00Z"), ("EndTime", "19:00:00Z")]),
    (Srv::ResetMaximumDemandRegisters, &[("MaxDemandActivePowerImportValue", "true")]),
    (Srv::SetDeviceConfigurationImportMPxN, &[("ImportMPAN", "1200023305967")]),
    (Srv::SetDeviceConfigurationImportMPxN, &[("ImportMPRN", "1234567890")]),
    (Srv::SetDeviceConfigurationExportMPAN, &[("ExportMPAN", "1200023305976")]),
    (
        Srv::RequestHandoverOfDCCControlledDevice,
        &[
            ("RemotePartyRole", "Supplier"),
            ("RemotePartyFloorSeqNumber", "1000"),
            ("DigitalSigningCertificate", "MIIB"),
            ("Certificate[1]", "MIIB"),
            ("Certificate[2]", "MIIB"),
            ("ApplyTimeBasedCPVChecks", "true"),
        ],
    ),
    (Srv::ConfigureAlertBehaviour, &[("ElectricitySupplierAlerts.x81A1", "Disable")]),
    (
        Srv::ConfigureAlertBehaviour,
        &[
            ("GasSupplierAlertEventSettings.x81A1.WANAlert", "Enable"),
            ("GasSupplierAlertEventSettings.x81A1.HANAlert", "Disable"),
            ("GasSupplierAlertEventSettings.x81A1.EventLog", "Enable"),
            ("GasSupplierAlertEventSettings.x81A1.Alarm", "Disable"),
        ],
    ),
    (
        Srv::UpdateSecurityCredentialsCoS,
        &[
            ("SupplierFloorSeqNumber", "1000"),
            ("DigitalSigningCertificate", "MIIB"),
            ("Certificate[1]", "MIIB"),
            ("ApplyTimeBasedCPVChecks", "true"),
            ("ImportMPxN", "1200023305967"),
        ],
    ),
    (
        Srv::RetrieveDeviceSecurityCredentialsKRP,
        &[("RemotePartyRole[1]", "Supplier"), ("RemotePartyRole[2]", "NetworkOperator")],
    ),
    (Srv::SetElectricitySupplyTamperState, &[("SupplyTamperState", "Locked")]),
    (
        Srv::UpdateDeviceConfigurationDailyResettingOfTariffBlockCounterMatrix,
        &[("DailyTariffBlockCounterMatrixReset", "true")],
    ),
    (Srv::UpdateDeviceConfigurationRMSVoltageCounterReset, &[]),
];

/// Answers with data to the variants above, with little and with much in them.
pub(super) fn answers() -> Result<Vec<MmcBody>, FormError> {
    let thresholds = (Some(2530), Some(2160));
    let voltage = |average| VoltageSettings { average, extreme_over: thresholds, ..Default::default() };
    let decimal = |mantissa, exponent| Some(Decimal { mantissa, exponent });
    let gas = GasSettings {
        calorific_value: decimal(394, -1),
        conversion_factor: decimal(102_264, -5),
        uncontrolled_flow_rate: decimal(125, -4),
        stabilisation_period: Some(10),
        measurement_period: Some(60),
    };
    let text = |text: &str| Some(text.to_owned());
    let mpans = MeterPoints::Electricity {
        import: text("1200023305967"),
        secondary_import: None,
        export: text("1200023305976"),
    };
    let replaced = Replacement {
        certificate: CertificateUse::DigitalSigning,
        role: RemotePartyRole::Supplier,
        existing: Some((DEVICE, vec![0; 20])),
        new: Some((USER, vec![255; 20])),
    };
    let how = |srv| Replacing {
        counter: 7,
        mode: (srv == Srv::UpdateSecurityCredentialsCoS).then_some(ReplacementMode::SupplierByTransCos),
        role: RemotePartyRole::Supplier,
        floors: (Some(6), (srv == Srv::UpdateSecurityCredentialsKRP).then_some(5)),
    };
    let switches = |codes: [u16; 2]| Some(codes.map(|code| (AlertCode(code), code % 2 == 0)).into());
    let destinations = GasEventDestinations { wan: true, han: false, log: true, alarm: false };
    let held = (USER, CertificateUse::DigitalSigning, vec![1; 20], Some(1000));
    let party = |role, held| HeldCredentials { role, held };
    let mut answers = vec![
        build::voltage(&voltage(vec![thresholds]))?,
        build::voltage(&voltage(vec![thresholds; 3]))?,
        build::power_thresholds(Some(500), Some(3000))?,
        build::meter_points(&mpans)?,
        build::meter_points(&MeterPoints::Gas(text("1234567890")))?,
        build::gas_settings(gas)?,
        build::gas_settings(GasSettings::default())?,
        build::payment_mode(ModeOfPayment::Credit, None, None)?,
        build::payment_mode(ModeOfPayment::Prepayment, Some(true), Some(false))?,
        build::alert_behaviours(&AlertBehaviours::Supplier(SupplierAlerts::default()))?,
        build::alert_behaviours(&AlertBehaviours::Supplier(SupplierAlerts {
            wan: switches([0x810D, 0x81C6]),
            han: switches([0x8119, 0x8145]),
            alarm: switches([0x8154, 0x8155]),
            logging: switches([0x8145, 0x8155]),
        }))?,
        build::alert_behaviours(&AlertBehaviours::NetworkOperator(NetworkOperatorAlerts {
            wan: switches([0x8002, 0x8010]),
            logging: switches([0x8014, 0x8099]),
        }))?,
        build::alert_behaviours(&AlertBehaviours::Gas([(AlertCode(0x81BF), destinations)].into()))?,
        build::credentials(&[
            party(RemotePartyRole::Supplier, Some(held)),
            party(RemotePartyRole::NetworkOperator, None),
        ])?,
    ];
    for draw in [Draw::least(), Draw::most()] {
        answers.push(build::billing_calendar(&BillingCalendar::sample(&mut { draw }))?);
    }
    let replacing = [
        Srv::UpdateSecurityCredentialsKRP,
        Srv::RequestHandoverOfDCCControlledDevice,
        Srv::UpdateSecurityCredentialsCoS,
    ];
    for srv in replacing {
        answers.push(build::credentials_replaced(srv, how(srv), std::slice::from_ref(&replaced))?);
    }
    Ok(answers)
}
