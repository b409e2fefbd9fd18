//! 6.22 and 6.2.10: which events a device tells the DCC and the home area network, and which it logs.
//!
//! A device holds the codes of the events it tells (`alert-configuration`, `han-alert-configuration`) and of those it does
//! not log (`unlogged-events`). A request names some events and leaves the others as they are; what it asks of several of
//! these lists is done in all of them or in none. No Device Model of SMETS1 known here has an alarm that can be set.

use std::collections::{BTreeMap, BTreeSet};

use lab_config::Function;
use proto_dlms::data::Data;
use proto_duis::body::{
    AlertCodes, AlertSettings, AlertSwitch, ConfigureAlertBehaviour, ElectricityNetworkOperatorAlerts,
    ElectricitySupplierAlerts, EventDestinations, NetworkOperatorEsmeCommon, NetworkOperatorEsmeSinglePhase,
    NetworkOperatorPhaseAlerts, SupplierEsmeCommon, SupplierGsmeEvents,
};
use proto_duis::mmc::build::{
    self, AlertBehaviours, AlertSwitches, Fuel, GasEventDestinations, NetworkOperatorAlerts, SupplierAlerts,
};
use proto_duis::{AlertCode, MmcBody, Srv};

use super::super::Asker;
use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::together::{self, Change};
use crate::driver::cosem;

/// What is to be done with some events.
type Switches = BTreeMap<AlertCode, AlertSwitch>;
/// Codes of events, as a device holds them.
type Codes = BTreeSet<u16>;

/// Where events go, each kept in a list of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    Dcc,
    House,
    Log,
    Alarm,
}

impl Destination {
    fn function(self) -> Result<Function, Refusal> {
        match self {
            Destination::Dcc => Ok(Function::AlertConfiguration),
            Destination::House => Ok(Function::HanAlertConfiguration),
            Destination::Log => Ok(Function::UnloggedEvents),
            Destination::Alarm => {
                Err(Refusal::NotExpressible("the Device Model has no alarm that can be set".into()))
            }
        }
    }

    /// Whether an event in the list of the device goes there; those of the log are listed that do not.
    const fn lists(self) -> bool {
        !matches!(self, Destination::Log)
    }
}

/// 6.22.
pub(super) async fn configure(
    desk: &mut Desk,
    configure: &ConfigureAlertBehaviour,
) -> Result<MmcBody, Refusal> {
    let mut changes = Vec::new();
    for (destination, switches) in asked(configure) {
        // What has no alarm sounds none: that may be asked.
        let vain = destination == Destination::Alarm
            && switches.values().all(|switch| *switch == AlertSwitch::Disable);
        if !vain {
            changes.push(change(desk, destination, &switches).await?);
        }
    }
    together::make(desk, &changes).await?;
    Ok(build::done(Srv::ConfigureAlertBehaviour)?)
}

/// What a request asks, destination by destination.
fn asked(configure: &ConfigureAlertBehaviour) -> Vec<(Destination, Switches)> {
    use ConfigureAlertBehaviour as Asked;
    match configure {
        Asked::Supplier(alerts) => vec![(Destination::Dcc, of_supplier(alerts))],
        Asked::SupplierHan(alerts) => vec![(Destination::House, of_supplier(alerts))],
        Asked::SupplierAlarm(alerts) => vec![(Destination::Alarm, of_supplier(alerts))],
        Asked::SupplierLogging(alerts) => vec![(Destination::Log, of_supplier(alerts))],
        Asked::NetworkOperator(alerts) => vec![(Destination::Dcc, of_network_operator(alerts))],
        Asked::NetworkOperatorLogging(alerts) => vec![(Destination::Log, of_network_operator(alerts))],
        Asked::GasSupplier(alerts) => vec![(Destination::Dcc, alerts.settings().clone())],
        Asked::GasSupplierEvents(events) => of_gas_events(events.settings()),
    }
}

fn of_supplier(alerts: &ElectricitySupplierAlerts) -> Switches {
    let poly_phase = alerts.poly_phase.iter().flat_map(switches);
    alerts.common.iter().flat_map(switches).chain(poly_phase).collect()
}

fn of_network_operator(alerts: &ElectricityNetworkOperatorAlerts) -> Switches {
    let phases: Switches = match &alerts.phases {
        Some(NetworkOperatorPhaseAlerts::SinglePhase(settings)) => switches(settings).collect(),
        Some(NetworkOperatorPhaseAlerts::PolyPhase(settings)) => switches(settings).collect(),
        None => Switches::new(),
    };
    alerts.common.iter().flat_map(switches).chain(phases).collect()
}

fn switches<L: AlertCodes>(
    settings: &AlertSettings<L, AlertSwitch>,
) -> impl Iterator<Item = (AlertCode, AlertSwitch)> {
    settings.settings().iter().map(|(code, switch)| (*code, *switch))
}

fn of_gas_events(events: &BTreeMap<AlertCode, EventDestinations>) -> Vec<(Destination, Switches)> {
    let to = |destination, of: fn(&EventDestinations) -> AlertSwitch| {
        (destination, events.iter().map(|(code, to)| (*code, of(to))).collect())
    };
    vec![
        to(Destination::Alarm, |to| to.alarm),
        to(Destination::Dcc, |to| to.wan_alert),
        to(Destination::House, |to| to.han_alert),
        to(Destination::Log, |to| to.event_log),
    ]
}

/// The change of one list: the events named go into it or out of it, the others stay.
async fn change(desk: &mut Desk, destination: Destination, switches: &Switches) -> Result<Change, Refusal> {
    let function = destination.function()?;
    let object = desk.object(function)?;
    Change::from_held(desk, cosem::attribute(&object), |held| {
        let mut listed = codes(held).ok_or_else(|| Refusal::value(function, held))?;
        for (code, switch) in switches {
            match (*switch == AlertSwitch::Enable) == destination.lists() {
                true => listed.insert(code.0),
                false => listed.remove(&code.0),
            };
        }
        Ok(Data::Array(listed.into_iter().map(Data::U16).collect()))
    })
    .await
}

fn codes(data: &Data) -> Option<Codes> {
    let code = |element: &Data| u16::try_from(element.as_i128()?).ok();
    data.elements()?.iter().map(code).collect()
}

/// 6.2.10, in the form for who asks.
pub(super) async fn read(desk: &mut Desk, fuel: Fuel, asker: Asker) -> Result<MmcBody, Refusal> {
    let function = Function::AlertConfiguration;
    desk.object(function)?;
    let dcc = listed(desk, Destination::Dcc).await?;
    let house = listed(desk, Destination::House).await?;
    let log = listed(desk, Destination::Log).await?;
    let behaviours = match (fuel, asker) {
        (Fuel::Gas, _) => AlertBehaviours::Gas(gas(&dcc, &house, &log)),
        (Fuel::Electricity, Asker::Supplier) => {
            let of = |listed: &Listed| listed.switches(SupplierEsmeCommon::CODES);
            let (wan, han, logging) = (of(&dcc), of(&house), of(&log));
            AlertBehaviours::Supplier(SupplierAlerts { wan, han, alarm: None, logging })
        }
        (Fuel::Electricity, Asker::Other) => {
            let codes = [NetworkOperatorEsmeCommon::CODES, NetworkOperatorEsmeSinglePhase::CODES].concat();
            let (wan, logging) = (dcc.switches(&codes), log.switches(&codes));
            AlertBehaviours::NetworkOperator(NetworkOperatorAlerts { wan, logging })
        }
    };
    Ok(build::alert_behaviours(&behaviours)?)
}

/// A list as the device holds it; none where its Device Model has no such list.
struct Listed {
    destination: Destination,
    codes: Option<Codes>,
}

async fn listed(desk: &mut Desk, destination: Destination) -> Result<Listed, Refusal> {
    let function = destination.function()?;
    let codes = match desk.object(function) {
        Ok(_) => {
            let data = desk.read(function).await?;
            Some(codes(&data).ok_or_else(|| Refusal::value(function, &data))?)
        }
        Err(_) => None,
    };
    Ok(Listed { destination, codes })
}

impl Listed {
    fn goes_there(&self, code: AlertCode) -> Option<bool> {
        let listed = self.codes.as_ref()?.contains(&code.0);
        Some(listed == self.destination.lists())
    }

    fn switches(&self, codes: &[AlertCode]) -> Option<AlertSwitches> {
        codes.iter().map(|code| Some((*code, self.goes_there(*code)?))).collect()
    }
}

/// What has no list for the house tells it nothing; what has none for the log logs everything.
fn gas(dcc: &Listed, house: &Listed, log: &Listed) -> BTreeMap<AlertCode, GasEventDestinations> {
    let destinations = |code: &AlertCode| GasEventDestinations {
        wan: dcc.goes_there(*code).unwrap_or(false),
        han: house.goes_there(*code).unwrap_or(false),
        log: log.goes_there(*code).unwrap_or(true),
        alarm: false,
    };
    SupplierGsmeEvents::CODES.iter().map(|code| (*code, destinations(code))).collect()
}
