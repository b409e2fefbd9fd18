//! 6.2.10: what a device does with events.

use std::collections::BTreeMap;

use super::{FormError, MmcBody, MmcElement};
use crate::body::{
    AlertCodes, NetworkOperatorEsmeCommon, NetworkOperatorEsmeSinglePhase, SupplierEsmeCommon,
    SupplierGsmeEvents,
};
use crate::{AlertCode, Srv};

/// Whether something is done with each of some events.
pub type AlertSwitches = BTreeMap<AlertCode, bool>;

/// What an electricity meter does with the events that a supplier sets; none where the meter has no such setting.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SupplierAlerts {
    /// Whether the DCC is told.
    pub wan: Option<AlertSwitches>,
    /// Whether the home area network is told.
    pub han: Option<AlertSwitches>,
    /// Whether it sounds.
    pub alarm: Option<AlertSwitches>,
    /// Whether they are logged.
    pub logging: Option<AlertSwitches>,
}

/// What a single-phase electricity meter does with the events that a network operator sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkOperatorAlerts {
    /// Whether the DCC is told.
    pub wan: Option<AlertSwitches>,
    /// Whether they are logged.
    pub logging: Option<AlertSwitches>,
}

/// Where an event of a gas meter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GasEventDestinations {
    /// To the DCC.
    pub wan: bool,
    /// To the home area network.
    pub han: bool,
    /// Into a log.
    pub log: bool,
    /// To an audible alarm.
    pub alarm: bool,
}

/// What a device does with events, as far as who asks may set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertBehaviours {
    /// An electricity meter's, for its supplier.
    Supplier(SupplierAlerts),
    /// An electricity meter's, for the network operator.
    NetworkOperator(NetworkOperatorAlerts),
    /// A gas meter's.
    Gas(BTreeMap<AlertCode, GasEventDestinations>),
}

/// 6.2.10. Events that are not of the lists of the schema are left out.
///
/// # Errors
/// None in practice.
pub fn alert_behaviours(behaviours: &AlertBehaviours) -> Result<MmcBody, FormError> {
    let content = match behaviours {
        AlertBehaviours::Supplier(alerts) => supplier(alerts),
        AlertBehaviours::NetworkOperator(alerts) => network_operator(alerts),
        AlertBehaviours::Gas(events) => gas(events),
    };
    MmcBody::new(Srv::ReadDeviceConfigurationEventAndAlertBehaviours, true, [content])
}

fn supplier(alerts: &SupplierAlerts) -> MmcElement {
    let settings = [
        ("ElectricitySupplierWANAlertSettings", &alerts.wan),
        ("ElectricitySupplierHANAlertSettings", &alerts.han),
        ("ElectricitySupplierAlarmSettings", &alerts.alarm),
        ("ElectricitySupplierLoggingSettings", &alerts.logging),
    ];
    let element = |(name, switches): (&str, &Option<AlertSwitches>)| {
        let switches = switches.as_ref()?;
        Some(MmcElement::new(name).with(listed::<SupplierEsmeCommon>("SupplierESMECommon", switches)))
    };
    MmcElement::new("ElectricitySupplierAlertEventSettings")
        .with_all(settings.into_iter().filter_map(element))
}

fn network_operator(alerts: &NetworkOperatorAlerts) -> MmcElement {
    let settings = [
        ("ElectricityNetworkOperatorWANAlertSettings", &alerts.wan),
        ("ElectricityNetworkOperatorLoggingSettings", &alerts.logging),
    ];
    let element = |(name, switches): (&str, &Option<AlertSwitches>)| {
        let switches = switches.as_ref()?;
        let common = listed::<NetworkOperatorEsmeCommon>("NetworkOperatorESMECommon", switches);
        let single = "NetworkOperatorESMESinglePhase";
        let single = listed::<NetworkOperatorEsmeSinglePhase>(single, switches);
        Some(MmcElement::new(name).with(common).with(single))
    };
    MmcElement::new("ElectricityNetworkOperatorAlertEventSettings")
        .with_all(settings.into_iter().filter_map(element))
}

fn gas(events: &BTreeMap<AlertCode, GasEventDestinations>) -> MmcElement {
    let known = SupplierGsmeEvents::CODES.iter().filter_map(|code| Some((code, events.get(code)?)));
    let element = |(code, to): (&AlertCode, &GasEventDestinations)| {
        MmcElement::new(name(*code))
            .with(MmcElement::leaf("WANAlert", switch(to.wan)))
            .with(MmcElement::leaf("HANAlert", switch(to.han)))
            .with(MmcElement::leaf("EventLog", switch(to.log)))
            .with(MmcElement::leaf("Alarm", switch(to.alarm)))
    };
    MmcElement::new("GasSupplierAlertEventSettings").with_all(known.map(element))
}

/// The settings of a list's events, in the order of the list.
fn listed<L: AlertCodes>(element: &str, switches: &AlertSwitches) -> MmcElement {
    let known = L::CODES.iter().filter_map(|code| Some((code, switches.get(code)?)));
    let leaves = known.map(|(code, on)| MmcElement::leaf(name(*code), switch(*on)));
    MmcElement::new(element).with_all(leaves)
}

fn name(code: AlertCode) -> String {
    format!("x{code}")
}

const fn switch(on: bool) -> &'static str {
    if on { "Enable" } else { "Disable" }
}
