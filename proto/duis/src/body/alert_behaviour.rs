//! 6.22: which alerts a device raises, and where they go. The codes each kind of device and user may set are lists of the
//! schema.

use super::fields::{FieldError, FieldReader, KnownField};
use super::part::{At, Part, Value};
use crate::AlertCode;
use crate::examples::Draw;
use crate::xml::{Element, Reading, SchemaError, Space::Sr};
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// Which alert codes a list has, in the order of the schema.
pub trait AlertCodes {
    /// The codes.
    const CODES: &'static [AlertCode];
}

macro_rules! alert_lists {
    ($($(#[$meta:meta])* $name:ident [$($code:literal),+ $(,)?])+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {}

        impl AlertCodes for $name {
            const CODES: &'static [AlertCode] = &[$(AlertCode($code)),+];
        }
    )+};
}

#[rustfmt::skip]
alert_lists! {
    /// What the supplier sets on any electricity meter.
    SupplierEsmeCommon [
        0x810D, 0x810E, 0x8119, 0x8145, 0x8154, 0x8155, 0x8161, 0x8162, 0x8168, 0x8183, 0x81A0, 0x81A1,
        0x81A2, 0x81A3, 0x81A4, 0x81A5, 0x81A6, 0x81A7, 0x81A8, 0x81A9, 0x81AA, 0x81AB, 0x81AC, 0x81AD,
        0x81AE, 0x81AF, 0x81B0, 0x81B1, 0x81B2, 0x81B3, 0x81B8, 0x81B9, 0x81BA, 0x81BB, 0x81BC, 0x81BD,
        0x81BE, 0x81C0, 0x81C1, 0x81C4, 0x81C5, 0x81C6,
    ]
    /// What the supplier sets on a polyphase electricity meter besides.
    SupplierEsmePolyPhase [0x81B7]
    /// What the network operator sets on any electricity meter.
    NetworkOperatorEsmeCommon [0x8014, 0x8015]
    /// What the network operator sets on a single-phase electricity meter besides.
    NetworkOperatorEsmeSinglePhase [
        0x8002, 0x8006, 0x8020, 0x8024, 0x8028, 0x802C, 0x8085, 0x8089, 0x808D, 0x8091, 0x8095, 0x8099,
        0x8010,
    ]
    /// What the network operator sets on a polyphase electricity meter besides.
    NetworkOperatorEsmePolyPhase [
        0x8003, 0x8004, 0x8005, 0x8007, 0x8008, 0x8009, 0x8021, 0x8022, 0x8023, 0x8025, 0x8026, 0x8027,
        0x8029, 0x802A, 0x802B, 0x802D, 0x802E, 0x802F, 0x8086, 0x8087, 0x8088, 0x808A, 0x808B, 0x808C,
        0x808E, 0x808F, 0x8090, 0x8092, 0x8093, 0x8094, 0x8096, 0x8097, 0x8098, 0x809A, 0x809B, 0x809C,
        0x8011, 0x8016, 0x8013,
    ]
    /// What the supplier switches on a gas meter.
    SupplierGsme [
        0x810D, 0x810E, 0x8119, 0x8145, 0x8154, 0x8155, 0x8168, 0x8183, 0x8184, 0x81A1, 0x81A4, 0x81A5,
        0x81A6, 0x81A7, 0x81A8, 0x81A9, 0x81AA, 0x81AB, 0x81AC, 0x81AD, 0x81AE, 0x81AF, 0x81B0, 0x81B1,
        0x81B2, 0x81B3, 0x81B4, 0x81B5, 0x81B6, 0x81B9, 0x81BA, 0x81BC, 0x81BD, 0x81BE, 0x81BF, 0x81C0,
        0x81C2, 0x81C3, 0x81C4, 0x81C5,
    ]
    /// What the supplier directs on a gas meter.
    SupplierGsmeEvents [
        0x810D, 0x810E, 0x8119, 0x8145, 0x8154, 0x8155, 0x8161, 0x8162, 0x8168, 0x8183, 0x8184, 0x81A0,
        0x81A1, 0x81A4, 0x81A5, 0x81A6, 0x81A7, 0x81A8, 0x81A9, 0x81AA, 0x81AB, 0x81AC, 0x81AD, 0x81AE,
        0x81AF, 0x81B0, 0x81B1, 0x81B2, 0x81B3, 0x81B4, 0x81B5, 0x81B6, 0x81B9, 0x81BA, 0x81BC, 0x81BD,
        0x81BE, 0x81BF, 0x81C0, 0x81C2, 0x81C3, 0x81C4, 0x81C5, 0x81C6,
    ]
}

word_enum! {
    /// Whether an alert is raised.
    AlertSwitch, "alert setting" {
        /// It is not.
        Disable = "Disable",
        /// It is.
        Enable = "Enable",
    }
}

words!(AlertSwitch);

group! {
    /// Where an event of a gas meter goes.
    EventDestinations {
        /// To the DCC.
        wan_alert: AlertSwitch = "WANAlert",
        /// To the home area network.
        han_alert: AlertSwitch = "HANAlert",
        /// Into the event log.
        event_log: AlertSwitch = "EventLog",
        /// To an audible alarm.
        alarm: AlertSwitch = "Alarm",
    }
    /// What the supplier sets on an electricity meter.
    ElectricitySupplierAlerts {
        /// On any.
        common: Option<AlertSettings<SupplierEsmeCommon, AlertSwitch>> = wrap "SupplierESMECommon",
        /// On a polyphase one besides.
        poly_phase: Option<AlertSettings<SupplierEsmePolyPhase, AlertSwitch>> = wrap "SupplierESMEPolyPhase",
    }
    /// What the network operator sets on an electricity meter.
    ElectricityNetworkOperatorAlerts {
        /// On any.
        common: Option<AlertSettings<NetworkOperatorEsmeCommon, AlertSwitch>> = wrap "NetworkOperatorESMECommon",
        /// On one of so many phases besides.
        phases: Option<NetworkOperatorPhaseAlerts> = choice,
    }
}

choice! {
    /// What the network operator sets besides.
    NetworkOperatorPhaseAlerts {
        /// On a single-phase meter.
        SinglePhase(AlertSettings<NetworkOperatorEsmeSinglePhase, AlertSwitch>) =
            wrap "NetworkOperatorESMESinglePhase",
        /// On a polyphase meter.
        PolyPhase(AlertSettings<NetworkOperatorEsmePolyPhase, AlertSwitch>) = wrap "NetworkOperatorESMEPolyPhase",
    }
    /// 6.22: which alerts a device raises.
    ///
    /// Fields: an element of the schema and an alert code, such as `ElectricitySupplierAlerts.x81A1`, each `Enable` or
    /// `Disable`; for `GasSupplierAlertEventSettings` four for each code, such as
    /// `GasSupplierAlertEventSettings.x81A1.WANAlert`, `.HANAlert`, `.EventLog` and `.Alarm`.
    ConfigureAlertBehaviour {
        /// Alerts of an electricity meter to the DCC.
        Supplier(ElectricitySupplierAlerts) = "ElectricitySupplierAlerts",
        /// Alerts of an electricity meter to the home area network.
        SupplierHan(ElectricitySupplierAlerts) = "ElectricitySupplierHANAlertSettings",
        /// Alarms of an electricity meter.
        SupplierAlarm(ElectricitySupplierAlerts) = "ElectricitySupplierAlarmSettings",
        /// What an electricity meter logs.
        SupplierLogging(ElectricitySupplierAlerts) = "ElectricitySupplierLoggingSettings",
        /// Alerts of an electricity meter to the network operator.
        NetworkOperator(ElectricityNetworkOperatorAlerts) = "ElectricityNetworkOperatorAlerts",
        /// What an electricity meter logs for the network operator.
        NetworkOperatorLogging(ElectricityNetworkOperatorAlerts) = "ElectricityNetworkOperatorLoggingSettings",
        /// Alerts of a gas meter to the DCC.
        GasSupplier(AlertSettings<SupplierGsme, AlertSwitch>) = "GasSupplierAlerts",
        /// Where events of a gas meter go.
        GasSupplierEvents(AlertSettings<SupplierGsmeEvents, EventDestinations>) = "GasSupplierAlertEventSettings",
    }
}

/// A setting for some of the alerts of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings<L, T> {
    settings: BTreeMap<AlertCode, T>,
    list: PhantomData<L>,
}

impl<L: AlertCodes, T> AlertSettings<L, T> {
    /// These.
    ///
    /// # Errors
    /// The first code that is not of the list.
    pub fn new(settings: BTreeMap<AlertCode, T>) -> Result<Self, AlertCode> {
        let stranger = settings.keys().find(|code| !L::CODES.contains(code));
        stranger.map_or(Ok(()), |code| Err(*code))?;
        Ok(AlertSettings { settings, list: PhantomData })
    }

    /// The setting of each alert that has one.
    pub fn settings(&self) -> &BTreeMap<AlertCode, T> {
        &self.settings
    }

    /// The list's codes with the element of each, made by `each` and left out where that makes none.
    fn collect<E>(mut each: impl FnMut(&str, &mut dyn FnMut(T)) -> Result<(), E>) -> Result<Self, E> {
        let mut settings = BTreeMap::new();
        for code in L::CODES {
            each(&element(*code), &mut |setting| drop(settings.insert(*code, setting)))?;
        }
        Ok(AlertSettings { settings, list: PhantomData })
    }
}

/// `x810D`: an element's name cannot begin with a digit.
fn element(code: AlertCode) -> String {
    format!("x{code}")
}

impl<L: AlertCodes, T: Value> Value for AlertSettings<L, T> {
    fn list(at: &At, known: &mut Vec<KnownField>) {
        let at = at.clone().optional();
        L::CODES.iter().for_each(|code| T::list(&at.child(&element(*code)), known));
    }

    fn given(fields: &FieldReader<'_>, at: &At) -> bool {
        L::CODES.iter().any(|code| T::given(fields, &at.child(&element(*code))))
    }

    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        Self::collect(|name, put| {
            <Option<T> as Part>::take(fields, &at.child(name))
                .map(|setting| setting.into_iter().for_each(put))
        })
    }

    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        self.settings.iter().for_each(|(code, setting)| setting.give(&at.child(&element(*code)), fields));
    }

    fn read(reading: &Reading<'_>, attributes: &[&str]) -> Result<Self, SchemaError> {
        let mut children = reading.children(attributes)?;
        let settings = Self::collect(|name, put| {
            <Option<T> as Part>::read(&mut children, name).map(|setting| setting.into_iter().for_each(put))
        })?;
        children.finish()?;
        Ok(settings)
    }

    fn write(&self, parent: Element) -> Element {
        let set = L::CODES.iter().filter_map(|code| Some((code, self.settings.get(code)?)));
        parent.with_all(set.map(|(code, setting)| setting.write(Element::new(Sr, element(*code)))))
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        let settings = L::CODES.iter().filter_map(|code| Some((*code, <Option<T> as Part>::sample(draw)?)));
        AlertSettings { settings: settings.collect(), list: PhantomData }
    }
}
