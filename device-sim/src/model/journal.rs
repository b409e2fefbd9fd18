//! Event log, security log and the alerts that leave a device.

use std::collections::{BTreeSet, VecDeque};

use super::profile::Ring;
use super::time::MeterTime;

/// Entries a log keeps; the oldest goes first.
pub const LOG_ENTRIES: usize = 100;
/// Alerts that wait while nobody takes them; the oldest goes first.
pub const WAITING_ALERTS: usize = 64;

/// Where an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The event log only, unless the device is set up to tell it.
    Logged,
    /// The event log, and the head end is told.
    Alerted,
    /// The security log, and the head end is told.
    Security,
}

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $place:ident;)+) => {
        /// What can happen to a device, with the code it is logged and alerted under. Codes from 9001 on are this
        /// simulator's own, where the list of alert codes has none.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Event {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Event {
            /// Every event.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Alert or event code.
            pub const fn code(self) -> u16 {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            const fn place(self) -> Place {
                match self {
                    $(Self::$name => Place::$place,)+
                }
            }
        }
    };
}

events! {
    /// 8F43: put into service, or started after a change of firmware.
    Started = 0x8f43, Logged;
    /// 8145: clock adjusted.
    ClockAdjusted = 0x8145, Logged;
    /// 9001: the clock stood still.
    ClockLost = 0x9001, Logged;
    /// 8F32: supply armed.
    SupplyArmed = 0x8f32, Alerted;
    /// 8154: a command was carried out.
    CommandDone = 0x8154, Logged;
    /// 8155: a command was refused.
    CommandRefused = 0x8155, Logged;
    /// 8F66: what was dated for later is done.
    FutureDatedDone = 0x8f66, Alerted;
    /// 8F67: what was dated for later could not be done.
    FutureDatedFailed = 0x8f67, Alerted;
    /// 8161: a person's key was obeyed.
    KeyDone = 0x8161, Logged;
    /// 8F01: load above the limit, the supply left as it is.
    LoadAboveLimit = 0x8f01, Alerted;
    /// 8F33: too much load, supply disabled then armed.
    LoadLimit = 0x8f33, Alerted;
    /// 8F34: supply back after the load limit's restoration period.
    LoadLimitRestored = 0x8f34, Alerted;
    /// 810D: combined credit below the low credit threshold.
    LowCredit = 0x810d, Alerted;
    /// 8F0F: credit below the disablement threshold.
    BelowDisablement = 0x8f0f, Alerted;
    /// 8F83: disablement for want of credit suspended.
    DisablementSuspended = 0x8f83, Alerted;
    /// 8119: emergency credit can be taken.
    EmergencyOffered = 0x8119, Alerted;
    /// 81AB: emergency credit taken.
    EmergencyActivated = 0x81ab, Alerted;
    /// 81AA: emergency credit used up.
    EmergencyExhausted = 0x81aa, Logged;
    /// 810E: credit added.
    CreditAdded = 0x810e, Alerted;
    /// 81A7: time debt 1 collected.
    TimeDebt1Collected = 0x81a7, Alerted;
    /// 81A8: time debt 2 collected.
    TimeDebt2Collected = 0x81a8, Alerted;
    /// 81A9: payment debt collected.
    PaymentDebtCollected = 0x81a9, Alerted;
    /// 8F51: token used before.
    DuplicateToken = 0x8f51, Alerted;
    /// 8F63: token does not hold.
    TokenNotAuthentic = 0x8f63, Alerted;
    /// 8F64: token of another meter.
    TokenOfOther = 0x8f64, Alerted;
    /// 8F5B: token above the largest credit.
    TokenTooLarge = 0x8f5b, Alerted;
    /// 8F47: token would take the balance too high.
    BalanceTooHigh = 0x8f47, Alerted;
    /// 81C4: token entry suspended.
    TokenEntrySuspended = 0x81c4, Security;
    /// 81C5: token refused because entry is suspended.
    TokenLockedOut = 0x81c5, Alerted;
    /// 81A5: communication from the local port.
    LocalPort = 0x81a5, Security;
    /// 8F3E: unauthorised communication attempted.
    UnauthorisedAccess = 0x8f3e, Security;
    /// 8F3F: tamper detected.
    Tamper = 0x8f3f, Security;
    /// 8F52: a log was cleared.
    LogCleared = 0x8f52, Security;
    /// 8F1F: low battery capacity.
    LowBattery = 0x8f1f, Alerted;
    /// 8F82: remaining battery capacity reset.
    BatteryReset = 0x8f82, Alerted;
    /// 8F1D: loss of power of a gas meter.
    GasPowerLoss = 0x8f1d, Alerted;
    /// 81BF: supply disabled then armed, uncontrolled gas flow rate.
    UncontrolledFlow = 0x81bf, Alerted;
    /// 81C0: supply disconnect failure, flow through a closed valve.
    DisconnectFailure = 0x81c0, Alerted;
    /// 8F0A: a billing period ended.
    BillingUpdated = 0x8f0a, Logged;
    /// 8002: average voltage above its threshold.
    AverageOverVoltage = 0x8002, Alerted;
    /// 8085: average voltage no longer above it.
    AverageOverVoltageEnded = 0x8085, Alerted;
    /// 8006: average voltage below its threshold.
    AverageUnderVoltage = 0x8006, Alerted;
    /// 8089: average voltage no longer below it.
    AverageUnderVoltageEnded = 0x8089, Alerted;
    /// 8020: voltage above the extreme threshold.
    ExtremeOverVoltage = 0x8020, Alerted;
    /// 808D: voltage no longer above it.
    ExtremeOverVoltageEnded = 0x808d, Alerted;
    /// 8028: voltage below the extreme threshold.
    ExtremeUnderVoltage = 0x8028, Alerted;
    /// 8095: voltage no longer below it.
    ExtremeUnderVoltageEnded = 0x8095, Alerted;
    /// 8024: voltage swell.
    VoltageSwell = 0x8024, Alerted;
    /// 8091: voltage swell over.
    VoltageSwellEnded = 0x8091, Alerted;
    /// 802C: voltage sag.
    VoltageSag = 0x802c, Alerted;
    /// 8099: voltage sag over.
    VoltageSagEnded = 0x8099, Alerted;
    /// 8F57: supply interrupted.
    SupplyInterrupted = 0x8f57, Logged;
    /// 8F35: supply outage restored.
    OutageRestored = 0x8f35, Alerted;
    /// 8F36: supply outage of three minutes or more restored.
    LongOutageRestored = 0x8f36, Alerted;
    /// 9002: without mains for three minutes, told by the last of its strength.
    PowerOutage = 0x9002, Alerted;
    /// 8F72: a firmware image was verified.
    FirmwareVerified = 0x8f72, Alerted;
    /// 8F1C: a firmware image was not verified.
    FirmwareNotVerified = 0x8f1c, Alerted;
    /// 8F12: the hub's device log changed.
    DeviceLogChanged = 0x8f12, Alerted;
    /// 8F49: a device joined the home area network.
    JoinSucceeded = 0x8f49, Alerted;
    /// 8F48: a device tried to join and may not.
    JoinFailed = 0x8f48, Alerted;
    /// 8F4B: a device left the home area network.
    UnjoinSucceeded = 0x8f4b, Alerted;
    /// 819D: a message for a device asleep was dropped.
    MessageNotRetrieved = 0x819d, Alerted;
    /// 9003: wide area network session up.
    WanUp = 0x9003, Logged;
    /// 9004: wide area network session down.
    WanDown = 0x9004, Logged;
}

impl Event {
    /// The event of this code.
    pub fn of_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.code() == code)
    }

    /// Whether it belongs to the security log.
    pub const fn is_security(self) -> bool {
        matches!(self.place(), Place::Security)
    }

    /// Whether a device tells the head end at once, unless it is set up otherwise.
    pub const fn is_alert(self) -> bool {
        !matches!(self.place(), Place::Logged)
    }
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the device's clock showed.
    pub at: MeterTime,
    /// What happened.
    pub event: Event,
    /// In the device's words.
    pub text: String,
}

/// Both logs and the alerts not yet taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    events: Ring<Entry>,
    security: Ring<Entry>,
    alerts: VecDeque<Entry>,
    lost_alerts: u64,
    rolled: u64,
    /// What the head end is told; what is not in it is only logged.
    alerted: BTreeSet<Event>,
    /// What is not logged.
    unlogged: BTreeSet<Event>,
    /// What the home area network is told.
    han_alerted: BTreeSet<Event>,
    han_alerts: VecDeque<Entry>,
}

impl Default for Journal {
    /// Empty logs of the usual depth, and the usual alerts.
    fn default() -> Self {
        Self {
            events: Ring::new(LOG_ENTRIES),
            security: Ring::new(LOG_ENTRIES),
            alerts: VecDeque::new(),
            lost_alerts: 0,
            rolled: 0,
            alerted: Event::ALL.iter().copied().filter(|event| event.is_alert()).collect(),
            unlogged: BTreeSet::new(),
            han_alerted: BTreeSet::new(),
            han_alerts: VecDeque::new(),
        }
    }
}

impl Journal {
    /// Writes an event where it belongs, and queues it as an alert, where the device is set up to log it and to tell it.
    pub fn write(&mut self, at: MeterTime, event: Event, text: impl Into<String>) {
        let entry = Entry { at, event, text: text.into() };
        if self.alerted.contains(&event) {
            self.lost_alerts += u64::from(queue(&mut self.alerts, entry.clone()));
        }
        if self.han_alerted.contains(&event) {
            queue(&mut self.han_alerts, entry.clone());
        }
        if !self.unlogged.contains(&event) {
            let log = if event.is_security() { &mut self.security } else { &mut self.events };
            self.rolled += u64::from(log.push(entry));
        }
    }

    /// Event log, oldest first.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.events.all()
    }

    /// Security log, oldest first.
    pub fn security(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.security.all()
    }

    /// Entries each log keeps.
    pub const fn depth(&self) -> usize {
        self.events.depth()
    }

    /// Another depth of both logs; the oldest entries beyond it go.
    pub fn set_depth(&mut self, depth: usize) {
        self.events.set_depth(depth);
        self.security.set_depth(depth);
    }

    /// Entries that were rolled over by newer ones.
    pub const fn rolled(&self) -> u64 {
        self.rolled
    }

    /// What the head end is told.
    pub const fn alerted(&self) -> &BTreeSet<Event> {
        &self.alerted
    }

    /// Sets up what the head end is told, of what waits as well. An alert that is missed may be one that is not set
    /// up.
    pub fn set_alerted(&mut self, alerted: BTreeSet<Event>) {
        self.alerts.retain(|alert| alerted.contains(&alert.event));
        self.alerted = alerted;
    }

    /// What is not logged.
    pub const fn unlogged(&self) -> &BTreeSet<Event> {
        &self.unlogged
    }

    /// Sets up what is not logged; what is logged already stays.
    pub fn set_unlogged(&mut self, unlogged: BTreeSet<Event>) {
        self.unlogged = unlogged;
    }

    /// What the home area network is told.
    pub const fn han_alerted(&self) -> &BTreeSet<Event> {
        &self.han_alerted
    }

    /// Sets up what the home area network is told, of what waits as well.
    pub fn set_han_alerted(&mut self, alerted: BTreeSet<Event>) {
        self.han_alerts.retain(|alert| alerted.contains(&alert.event));
        self.han_alerted = alerted;
    }

    /// The oldest alert for the home area network that nobody has taken.
    pub fn take_han_alert(&mut self) -> Option<Entry> {
        self.han_alerts.pop_front()
    }

    /// The oldest alert nobody has taken.
    pub fn take_alert(&mut self) -> Option<Entry> {
        self.alerts.pop_front()
    }

    /// Forgets the alerts that wait: those of a past that was filled in.
    pub fn forget_alerts(&mut self) {
        self.alerts.clear();
        self.han_alerts.clear();
    }

    /// Alerts that were pushed out of the queue unread.
    pub fn lost_alerts(&self) -> u64 {
        self.lost_alerts
    }

    /// Puts entries into the logs, each where it belongs, in place of what is in them. Nobody is told of them.
    pub fn load<'t>(&mut self, entries: impl IntoIterator<Item = (MeterTime, Event, &'t str)>) {
        self.events.clear();
        self.security.clear();
        for (at, event, text) in entries {
            let log = if event.is_security() { &mut self.security } else { &mut self.events };
            log.push(Entry { at, event, text: text.to_owned() });
        }
    }

    /// Empties the event log.
    pub fn clear_events(&mut self) {
        self.events.clear();
    }
}

/// Queues an alert; whether the oldest had to go.
fn queue(alerts: &mut VecDeque<Entry>, entry: Entry) -> bool {
    alerts.push_back(entry);
    let full = alerts.len() > WAITING_ALERTS;
    if full {
        alerts.pop_front();
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_and_alerts_stay_bounded_and_keep_the_newest() {
        let mut journal = Journal::default();
        for second in 0..500 {
            journal.write(MeterTime::from_millis(second * 1000), Event::LowCredit, "low");
        }
        assert_eq!(journal.events().len(), LOG_ENTRIES);
        assert_eq!(journal.events().last().unwrap().at.millis(), 499_000);
        assert_eq!(journal.lost_alerts(), 500 - WAITING_ALERTS as u64);
        assert_eq!(std::iter::from_fn(|| journal.take_alert()).count(), WAITING_ALERTS);
    }

    #[test]
    fn codes_are_told_apart_and_what_is_not_set_up_is_only_logged() {
        for event in Event::ALL {
            assert_eq!(Event::of_code(event.code()), Some(*event));
        }
        let mut journal = Journal::default();
        journal.set_alerted(BTreeSet::from([Event::KeyDone]));
        journal.write(MeterTime::from_millis(0), Event::Tamper, "cover");
        journal.write(MeterTime::from_millis(0), Event::KeyDone, "key");
        assert_eq!(journal.take_alert().map(|alert| alert.event), Some(Event::KeyDone));
        assert_eq!((journal.take_alert(), journal.security().len()), (None, 1));
        journal.set_depth(0);
        journal.write(MeterTime::from_millis(0), Event::KeyDone, "again");
        assert_eq!((journal.events().len(), journal.rolled()), (1, 1));
    }

    #[test]
    fn what_is_logged_and_told_in_the_house_is_set_up_by_itself() {
        let mut journal = Journal::default();
        journal.set_unlogged(BTreeSet::from([Event::KeyDone]));
        journal.set_han_alerted(BTreeSet::from([Event::KeyDone, Event::LowCredit]));
        journal.write(MeterTime::from_millis(0), Event::KeyDone, "key");
        journal.write(MeterTime::from_millis(0), Event::LowCredit, "low");
        assert_eq!(journal.events().map(|entry| entry.event).collect::<Vec<_>>(), [Event::LowCredit]);
        journal.set_han_alerted(BTreeSet::from([Event::LowCredit]));
        assert_eq!(journal.take_han_alert().map(|alert| alert.event), Some(Event::LowCredit));
        assert_eq!(journal.take_han_alert(), None);
    }

    #[test]
    fn security_events_have_their_own_log() {
        let mut journal = Journal::default();
        journal.write(MeterTime::from_millis(0), Event::Tamper, "cover");
        assert_eq!((journal.events().len(), journal.security().len()), (0, 1));
    }
}
