//! Commands of the Metering cluster.

use super::CLUSTER;
use super::SupplyStatus;
use crate::field::{Counted, ToEnd, U24, UtcTime, commands, octet, record};

octet! {
    /// How a request for a profile ended.
    ProfileStatus {
        /// The intervals follow.
        0x00 Success,
        /// No such channel.
        0x01 UndefinedChannel,
        /// The channel is not kept.
        0x02 ChannelNotSupported,
        /// The end time is none.
        0x03 InvalidEndTime,
        /// More intervals than one answer can have.
        0x04 MorePeriodsThanReturned,
        /// Nothing is kept for that time.
        0x05 NoIntervals,
    }
}

octet! {
    /// Length of a profile's intervals.
    ProfileInterval {
        /// A day.
        0x00 Daily,
        /// An hour.
        0x01 Minutes60,
        /// Half an hour.
        0x02 Minutes30,
        /// A quarter.
        0x03 Minutes15,
        /// Ten minutes.
        0x04 Minutes10,
        /// Seven and a half minutes.
        0x05 Minutes7And30Seconds,
        /// Five minutes.
        0x06 Minutes5,
        /// Two and a half minutes.
        0x07 Minutes2And30Seconds,
        /// A minute.
        0x08 Minutes1,
    }
}

octet! {
    /// Whether a snapshot was taken.
    SnapshotConfirmation {
        /// It was.
        0x00 Accepted,
        /// Its cause is none this meter takes snapshots for.
        0x01 CauseNotSupported,
    }
}

octet! {
    /// How the registers of a snapshot are laid out.
    SnapshotPayloadType {
        /// Delivered registers of tiers, with billing.
        0x00 TiersDelivered,
        /// Received registers of tiers, with billing.
        0x01 TiersReceived,
        /// Delivered registers of blocks and tiers, with billing.
        0x02 BlocksDelivered,
        /// Received registers of blocks and tiers, with billing.
        0x03 BlocksReceived,
        /// Delivered registers of tiers.
        0x04 TiersDeliveredNoBilling,
        /// Received registers of tiers.
        0x05 TiersReceivedNoBilling,
        /// Delivered registers of blocks and tiers.
        0x06 BlocksDeliveredNoBilling,
        /// Received registers of blocks and tiers.
        0x07 BlocksReceivedNoBilling,
        /// There are none.
        0x80 DataUnavailable,
    }
}

octet! {
    /// The supply that is asked for. It is the octet of [`SupplyStatus`] as a command carries it.
    ProposedSupply {
        /// Off.
        0x00 Off,
        /// Off, to be switched on by a person.
        0x01 OffArmed,
        /// On.
        0x02 On,
    }
}

impl From<SupplyStatus> for ProposedSupply {
    fn from(status: SupplyStatus) -> Self {
        Self::from(status.octet())
    }
}

impl ProposedSupply {
    /// The status of that name; none for a reserved octet.
    pub fn status(self) -> Option<SupplyStatus> {
        SupplyStatus::from_octet(self.octet())
    }
}

/// Causes of snapshots, one bit each (table D-52).
pub mod snapshot_cause {
    /// No cause of its own.
    pub const GENERAL: u32 = 0x0000_0001;
    /// A billing period has ended.
    pub const END_OF_BILLING_PERIOD: u32 = 0x0000_0002;
    /// A block period has ended.
    pub const END_OF_BLOCK_PERIOD: u32 = 0x0000_0004;
    /// The tariff has changed.
    pub const CHANGE_OF_TARIFF: u32 = 0x0000_0008;
    /// The prices have changed.
    pub const CHANGE_OF_PRICE_MATRIX: u32 = 0x0000_0010;
    /// Somebody asked for it.
    pub const MANUALLY_TRIGGERED: u32 = 0x0000_0400;
    /// The tenant has changed.
    pub const CHANGE_OF_TENANCY: u32 = 0x0000_1000;
    /// The supplier has changed.
    pub const CHANGE_OF_SUPPLIER: u32 = 0x0000_2000;
    /// The payment mode has changed.
    pub const CHANGE_OF_METER_MODE: u32 = 0x0000_4000;
}

commands! {
    /// Commands to the side that has the readings: a meter or its mirror. The answers about a mirror go this way
    /// too, because they go to the meter.
    ToServer: ToServer of CLUSTER;
    /// Give me the intervals before a time.
    0x00 GetProfile {
        /// 00 delivered, 01 received.
        channel: u8,
        /// End of the latest interval; 0 is now.
        end: UtcTime,
        /// How many.
        periods: u8,
    }
    /// Where the mirror is.
    0x01 RequestMirrorResponse {
        /// The endpoint that mirrors; ffff when there is no room.
        endpoint: u16,
    }
    /// The mirror is gone.
    0x02 MirrorRemoved {
        /// The endpoint it had; ffff when there was none.
        endpoint: u16,
    }
    /// Update faster for a while.
    0x03 RequestFastPollMode {
        /// Seconds between updates.
        update_seconds: u8,
        /// For how many minutes.
        minutes: u8,
    }
    /// Take snapshots at times to come.
    0x04 ScheduleSnapshot {
        /// Which schedule; a later one has a higher number.
        issuer_event: u32,
        /// Which of the commands this is, from 0.
        index: u8,
        /// How many commands there are.
        total: u8,
        /// The schedules.
        schedules: ToEnd<SnapshotSchedule>,
    }
    /// Take a snapshot now.
    0x05 TakeSnapshot {
        /// Why, see [`snapshot_cause`].
        cause: u32,
    }
    /// Give me a snapshot.
    0x06 GetSnapshot {
        /// From when.
        earliest: UtcTime,
        /// Until when.
        latest: UtcTime,
        /// Which of those that match, from 0.
        offset: u8,
        /// Why they were taken, see [`snapshot_cause`].
        cause: u32,
    }
    /// Take samples.
    0x07 StartSampling {
        /// Which request.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// What is sampled.
        sample_type: u8,
        /// Seconds between samples.
        interval_seconds: u16,
        /// How many at most.
        samples: u16,
    }
    /// Give me samples.
    0x08 GetSampledData {
        /// Which sampling.
        sample: u16,
        /// From when.
        earliest: UtcTime,
        /// What was sampled.
        sample_type: u8,
        /// How many.
        samples: u16,
    }
    /// What waits for a meter that has reported to its mirror.
    0x09 MirrorReportAttributeResponse {
        /// Which notification scheme is used.
        scheme: u8,
        /// The flags of that scheme, in its order.
        flags: ToEnd<u32>,
    }
    /// The load limit counter starts again.
    0x0a ResetLoadLimitCounter {
        /// Who asks.
        provider: u32,
        /// Which request.
        issuer_event: u32,
    }
    /// Switch the supply.
    0x0b ChangeSupply {
        /// Who asks.
        provider: u32,
        /// Which request; a later one has a higher number.
        issuer_event: u32,
        /// When it was asked.
        requested: UtcTime,
        /// When it is to be; 0 is now, ffffffff cancels.
        implementation: UtcTime,
        /// The supply asked for.
        proposed: ProposedSupply,
        /// Bit 0: an acknowledgement is wanted.
        control: u8,
    }
    /// Switch the supply, by the hand of a person at the display.
    0x0c LocalChangeSupply {
        /// The supply asked for.
        proposed: ProposedSupply,
    }
    /// What the supply becomes when something happens.
    0x0d SetSupplyStatus {
        /// Which setting.
        issuer_event: u32,
        /// When the meter is tampered with; ff leaves it.
        tamper: ProposedSupply,
        /// When the credit is used up.
        depletion: ProposedSupply,
        /// When gas flows that should not.
        uncontrolled_flow: ProposedSupply,
        /// When the load limit is exceeded.
        load_limit: ProposedSupply,
    }
    /// Which flow counts as one that should not be.
    0x0e SetUncontrolledFlowThreshold {
        /// Who asks.
        provider: u32,
        /// Which setting.
        issuer_event: u32,
        /// The flow.
        threshold: u16,
        /// Its unit.
        unit_of_measure: u8,
        /// It is multiplied by this.
        multiplier: u16,
        /// And divided by this.
        divisor: u16,
        /// Tenths of a second to wait before measuring.
        stabilisation: u8,
        /// Seconds to measure.
        measurement: u16,
    }
}

commands! {
    /// Commands from the side that has the readings. What a sleeping meter asks of the hub that mirrors it goes
    /// this way too.
    ToClient: ToClient of CLUSTER;
    /// The intervals asked for, latest first.
    0x00 GetProfileResponse {
        /// End of the latest interval.
        end: UtcTime,
        /// How the request ended.
        status: ProfileStatus,
        /// How long an interval is.
        interval: ProfileInterval,
        /// Consumption of each interval; ffffff is invalid.
        intervals: Counted<U24>,
    }
    /// Mirror me.
    0x01 RequestMirror {}
    /// Mirror me no longer.
    0x02 RemoveMirror {}
    /// Whether updates come faster.
    0x03 RequestFastPollModeResponse {
        /// Seconds between updates.
        applied_seconds: u8,
        /// Until when.
        end: UtcTime,
    }
    /// Which schedules were taken in.
    0x04 ScheduleSnapshotResponse {
        /// Of which request.
        issuer_event: u32,
        /// For each schedule whether.
        confirmations: ToEnd<ScheduleConfirmation>,
    }
    /// Whether a snapshot was taken.
    0x05 TakeSnapshotResponse {
        /// Its number.
        snapshot: u32,
        /// Whether.
        confirmation: SnapshotConfirmation,
    }
    /// A snapshot.
    0x06 PublishSnapshot {
        /// Its number.
        snapshot: u32,
        /// When it was taken.
        taken: UtcTime,
        /// How many match.
        found: u8,
        /// Which of the commands this is, from 0.
        index: u8,
        /// How many commands there are.
        total: u8,
        /// Why it was taken, see [`snapshot_cause`].
        cause: u32,
        /// How the rest is laid out.
        payload_type: SnapshotPayloadType,
        /// The registers, as octets.
        payload: ToEnd<u8>,
    }
    /// Samples.
    0x07 GetSampledDataResponse {
        /// Which sampling.
        sample: u16,
        /// From when.
        start: UtcTime,
        /// What was sampled.
        sample_type: u8,
        /// Seconds between samples.
        interval_seconds: u16,
        /// How many follow, u16, and the samples, three octets each, as octets.
        samples: ToEnd<u8>,
    }
    /// How the meter will report to its mirror.
    0x08 ConfigureMirror {
        /// Which configuration; a later one has a higher number.
        issuer_event: u32,
        /// Seconds between reports.
        reporting_interval: U24,
        /// 01: the meter wants to be told what waits for it when it reports.
        notification_reporting: u8,
        /// Which notification scheme it uses.
        notification_scheme: u8,
    }
    /// A notification scheme of the manufacturer's own.
    0x09 ConfigureNotificationScheme {
        /// Which configuration.
        issuer_event: u32,
        /// The scheme.
        notification_scheme: u8,
        /// The flags in their order, a nibble each.
        flag_order: u32,
    }
    /// Which command a notification flag stands for.
    0x0a ConfigureNotificationFlags {
        /// Which configuration.
        issuer_event: u32,
        /// The scheme.
        notification_scheme: u8,
        /// The attribute that holds the flags.
        flag_attribute: u16,
        /// What each bit stands for.
        allocations: ToEnd<FlagAllocation>,
    }
    /// What did a notification flag stand for?
    0x0b GetNotifiedMessage {
        /// The scheme.
        notification_scheme: u8,
        /// The attribute that holds the flags.
        flag_attribute: u16,
        /// The flags.
        flags: u32,
    }
    /// How the supply stands after a change was asked for.
    0x0c SupplyStatusResponse {
        /// Who asked.
        provider: u32,
        /// Which request.
        issuer_event: u32,
        /// When it is to be, or was.
        implementation: UtcTime,
        /// How it stands.
        status: ProposedSupply,
    }
    /// Samples will be taken.
    0x0d StartSamplingResponse {
        /// Which sampling; ffff when none.
        sample: u16,
    }
}

record! {
    /// When snapshots are to be taken.
    SnapshotSchedule {
        /// Which schedule.
        schedule: u8,
        /// From when.
        start: UtcTime,
        /// How often (20 bits), in which unit (2 bits), and where in it (2 bits).
        recurrence: U24,
        /// How the registers are laid out.
        payload_type: SnapshotPayloadType,
        /// Why, see [`snapshot_cause`].
        cause: u32,
    }
}

record! {
    /// Whether one schedule was taken in.
    ScheduleConfirmation {
        /// Which schedule.
        schedule: u8,
        /// 00 accepted; otherwise why not.
        confirmation: u8,
    }
}

record! {
    /// What one bit of a notification flag stands for.
    FlagAllocation {
        /// Cluster of the command.
        cluster: u16,
        /// Manufacturer code, ffff for the standard's own.
        manufacturer: u16,
        /// The commands.
        commands: Counted<u8>,
    }
}
