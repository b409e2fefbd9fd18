//! Demand Response and Load Control cluster (0701): loads that a supplier may switch (Smart Energy 1.4,
//! annex D.2).

use crate::field::{UtcTime, commands, octet};

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0701;

octet! {
    /// How an event stands at a device.
    EventStatus {
        /// It was taken in.
        0x01 Received,
        /// It has started.
        0x02 Started,
        /// It has ended.
        0x03 Completed,
        /// The customer opted out.
        0x04 OptedOut,
        /// The customer opted in.
        0x05 OptedIn,
        /// It was cancelled.
        0x06 Cancelled,
        /// Another took its place.
        0x07 Superseded,
        /// It ended after the customer had opted out of a part.
        0x08 PartlyOptedOut,
        /// It ended after the customer had opted in for a part.
        0x09 PartlyOptedIn,
        /// It ended, and the customer had not taken part.
        0x0a NotParticipated,
        /// The acknowledgement failed.
        0xf8 InvalidCancel,
        /// Its effective time cannot be.
        0xf9 InvalidEffectiveTime,
        /// It is over already.
        0xfb Expired,
        /// No such event.
        0xfd UndefinedEvent,
        /// It cannot be carried out.
        0xfe Rejected,
    }
}

commands! {
    /// Commands that a load sends to the side that switches.
    ToServer: ToServer of CLUSTER;
    /// How an event stands.
    0x00 ReportEventStatus {
        /// Of which event.
        issuer_event: u32,
        /// How it stands.
        status: EventStatus,
        /// Since when.
        since: UtcTime,
        /// Criticality applied.
        criticality: u8,
        /// Cooling set point applied, in hundredths of a degree Celsius; 8000 none.
        cooling_set_point: i16,
        /// Heating set point applied, in hundredths of a degree Celsius; 8000 none.
        heating_set_point: i16,
        /// Load adjustment applied, in percent; -128 none.
        load_adjustment: i8,
        /// Duty cycle applied, in percent; ff none.
        duty_cycle: u8,
        /// Randomisation applied.
        control: u8,
        /// 00 none, 01 ECDSA.
        signature_type: u8,
        /// The signature, all ff where there is none.
        signature: Option<[u8; 42]>,
    }
    /// Which events are scheduled?
    0x01 GetScheduledEvents {
        /// From when.
        start: UtcTime,
        /// How many at most; 0 is all.
        events: u8,
        /// From which event.
        issuer_event: Option<u32>,
    }
}

commands! {
    /// Commands that the side that switches sends to a load.
    ToClient: ToClient of CLUSTER;
    /// A load is to be shed or shifted.
    0x00 LoadControlEvent {
        /// Which event; a later one has a higher number.
        issuer_event: u32,
        /// Kinds of device it is for, one bit each.
        device_class: u16,
        /// Group of devices it is for; 0 is all.
        enrolment_group: u8,
        /// From when.
        start: UtcTime,
        /// For how many minutes.
        minutes: u16,
        /// 01 green to 09 service disconnect.
        criticality: u8,
        /// Cooling offset, in tenths of a degree; ff none.
        cooling_offset: u8,
        /// Heating offset, in tenths of a degree; ff none.
        heating_offset: u8,
        /// Cooling set point, in hundredths of a degree Celsius; 8000 none.
        cooling_set_point: i16,
        /// Heating set point, in hundredths of a degree Celsius; 8000 none.
        heating_set_point: i16,
        /// Load adjustment, in percent; -128 none.
        load_adjustment: i8,
        /// Duty cycle, in percent; ff none.
        duty_cycle: u8,
        /// Bit 0: randomise the start; bit 1: the end.
        control: u8,
    }
    /// An event is not to be, or to end.
    0x01 CancelLoadControlEvent {
        /// Which event.
        issuer_event: u32,
        /// Kinds of device it was for.
        device_class: u16,
        /// Group of devices it was for.
        enrolment_group: u8,
        /// Bit 0: end it with the randomisation it had.
        control: u8,
        /// When; 0 is now.
        effective: UtcTime,
    }
    /// No event is to be.
    0x02 CancelAllLoadControlEvents {
        /// Bit 0: end them with the randomisation they had.
        control: u8,
    }
}
