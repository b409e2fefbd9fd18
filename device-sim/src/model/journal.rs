//! Event log, security log and the alerts that leave a device.

use std::collections::VecDeque;

use super::time::MeterTime;

/// Entries a log keeps; the oldest goes first.
pub const LOG_ENTRIES: usize = 100;
/// Alerts that wait while nobody takes them; the oldest goes first.
pub const WAITING_ALERTS: usize = 64;

/// What can happen to a device, with the code it is logged and alerted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// 8F43: put into service, or started after a change of firmware.
    Started,
    /// 8145: clock adjusted.
    ClockAdjusted,
    /// 8F32: supply armed.
    SupplyArmed,
    /// 8154: a command was carried out.
    CommandDone,
    /// 8155: a command was refused.
    CommandRefused,
    /// 8F66: what was dated for later is done.
    FutureDatedDone,
    /// 8161: a person's key was obeyed.
    KeyDone,
    /// 8F33: too much load, supply disabled then armed.
    LoadLimit,
    /// 810D: combined credit below the low credit threshold.
    LowCredit,
    /// 8F0F: credit below the disablement threshold.
    BelowDisablement,
    /// 8119: emergency credit can be taken.
    EmergencyOffered,
    /// 81AB: emergency credit taken.
    EmergencyActivated,
    /// 810E: credit added.
    CreditAdded,
    /// 8F51: token used before.
    DuplicateToken,
    /// 8F63: token does not hold.
    TokenNotAuthentic,
    /// 8F64: token of another meter.
    TokenOfOther,
    /// 8F5B: token above the largest credit.
    TokenTooLarge,
    /// 8F47: token would take the balance too high.
    BalanceTooHigh,
    /// 81C4: token entry suspended.
    TokenEntrySuspended,
    /// 81C5: token refused because entry is suspended.
    TokenLockedOut,
    /// 81A5: communication from the local port.
    LocalPort,
    /// 8F3E: unauthorised communication attempted.
    UnauthorisedAccess,
    /// 8F3F: tamper detected.
    Tamper,
    /// 8F1F: low battery capacity.
    LowBattery,
    /// 8F82: remaining battery capacity reset.
    BatteryReset,
    /// 8F1D: loss of power of a gas meter.
    GasPowerLoss,
    /// 81BF: supply disabled then armed, uncontrolled gas flow rate.
    UncontrolledFlow,
    /// 81C0: supply disconnect failure, flow through a closed valve.
    DisconnectFailure,
    /// 8F57: supply interrupted.
    SupplyInterrupted,
    /// 8F35: supply outage restored.
    OutageRestored,
    /// 8F36: supply outage of three minutes or more restored.
    LongOutageRestored,
    /// 9002, this simulator's own: without mains for three minutes, told by the last of its strength.
    PowerOutage,
    /// 9001, this simulator's own: the clock stood still.
    ClockLost,
}

impl Event {
    /// Alert or event code.
    pub const fn code(self) -> u16 {
        match self {
            Self::Started => 0x8f43,
            Self::ClockAdjusted => 0x8145,
            Self::SupplyArmed => 0x8f32,
            Self::CommandDone => 0x8154,
            Self::CommandRefused => 0x8155,
            Self::FutureDatedDone => 0x8f66,
            Self::KeyDone => 0x8161,
            Self::LoadLimit => 0x8f33,
            Self::LowCredit => 0x810d,
            Self::BelowDisablement => 0x8f0f,
            Self::EmergencyOffered => 0x8119,
            Self::EmergencyActivated => 0x81ab,
            Self::CreditAdded => 0x810e,
            Self::DuplicateToken => 0x8f51,
            Self::TokenNotAuthentic => 0x8f63,
            Self::TokenOfOther => 0x8f64,
            Self::TokenTooLarge => 0x8f5b,
            Self::BalanceTooHigh => 0x8f47,
            Self::TokenEntrySuspended => 0x81c4,
            Self::TokenLockedOut => 0x81c5,
            Self::LocalPort => 0x81a5,
            Self::UnauthorisedAccess => 0x8f3e,
            Self::Tamper => 0x8f3f,
            Self::LowBattery => 0x8f1f,
            Self::BatteryReset => 0x8f82,
            Self::GasPowerLoss => 0x8f1d,
            Self::UncontrolledFlow => 0x81bf,
            Self::DisconnectFailure => 0x81c0,
            Self::SupplyInterrupted => 0x8f57,
            Self::OutageRestored => 0x8f35,
            Self::LongOutageRestored => 0x8f36,
            Self::ClockLost => 0x9001,
            Self::PowerOutage => 0x9002,
        }
    }

    /// Whether it belongs to the security log.
    pub const fn is_security(self) -> bool {
        matches!(self, Self::UnauthorisedAccess | Self::Tamper | Self::LocalPort | Self::TokenEntrySuspended)
    }

    /// Whether the device tells the head end at once.
    pub const fn is_alert(self) -> bool {
        !matches!(
            self,
            Self::Started
                | Self::ClockAdjusted
                | Self::CommandDone
                | Self::CommandRefused
                | Self::KeyDone
                | Self::SupplyInterrupted
                | Self::ClockLost
        )
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    events: VecDeque<Entry>,
    security: VecDeque<Entry>,
    alerts: VecDeque<Entry>,
    lost_alerts: u64,
}

impl Journal {
    /// Writes an event where it belongs, and queues it as an alert when it is one.
    pub fn write(&mut self, at: MeterTime, event: Event, text: impl Into<String>) {
        let entry = Entry { at, event, text: text.into() };
        if event.is_alert() && push_bounded(&mut self.alerts, entry.clone(), WAITING_ALERTS) {
            self.lost_alerts += 1;
        }
        let log = if event.is_security() { &mut self.security } else { &mut self.events };
        push_bounded(log, entry, LOG_ENTRIES);
    }

    /// Event log, oldest first.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.events.iter()
    }

    /// Security log, oldest first.
    pub fn security(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.security.iter()
    }

    /// The oldest alert nobody has taken.
    pub fn take_alert(&mut self) -> Option<Entry> {
        self.alerts.pop_front()
    }

    /// Forgets the alerts that wait: those of a past that was filled in.
    pub fn forget_alerts(&mut self) {
        self.alerts.clear();
    }

    /// Alerts that were pushed out of the queue unread.
    pub fn lost_alerts(&self) -> u64 {
        self.lost_alerts
    }

    /// Empties the event log.
    pub fn clear_events(&mut self) {
        self.events.clear();
    }
}

/// Appends, and tells whether the oldest had to go for it.
fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, limit: usize) -> bool {
    queue.push_back(item);
    let full = queue.len() > limit;
    if full {
        queue.pop_front();
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
    fn security_events_have_their_own_log() {
        let mut journal = Journal::default();
        journal.write(MeterTime::from_millis(0), Event::Tamper, "cover");
        assert_eq!((journal.events().len(), journal.security().len()), (0, 1));
    }
}
