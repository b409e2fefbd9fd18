//! Prepayment cluster (0705): accounts, debts and top-ups (Smart Energy 1.4, annex D.7).

use crate::field::{ToEnd, UtcTime, commands, octet, record};
use crate::zcl::AttributeId;

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0705;
/// Payment control configuration, bitmap of two octets; see [`PREPAYMENT_ENABLED`].
pub const PAYMENT_CONTROL_CONFIGURATION: AttributeId = AttributeId(0x0000);
/// Bit of [`PAYMENT_CONTROL_CONFIGURATION`]: the customer pays in advance.
pub const PREPAYMENT_ENABLED: u16 = 0x0002;
/// Credit remaining, i32, in the smallest unit of currency the device was given.
pub const CREDIT_REMAINING: AttributeId = AttributeId(0x0001);
/// Emergency credit remaining, i32.
pub const EMERGENCY_CREDIT_REMAINING: AttributeId = AttributeId(0x0002);
/// Credit status, bitmap of one octet.
pub const CREDIT_STATUS: AttributeId = AttributeId(0x0003);
/// Accumulated debt, i32.
pub const ACCUMULATED_DEBT: AttributeId = AttributeId(0x0005);
/// Overall debt cap, i32.
pub const OVERALL_DEBT_CAP: AttributeId = AttributeId(0x0006);
/// Allowance of emergency credit, u32.
pub const EMERGENCY_CREDIT_LIMIT: AttributeId = AttributeId(0x0010);
/// Balance at which emergency credit can be taken, u32.
pub const EMERGENCY_CREDIT_THRESHOLD: AttributeId = AttributeId(0x0011);
/// Cut-off value, i32: the balance at which the supply is disabled.
pub const CUT_OFF_VALUE: AttributeId = AttributeId(0x0040);
/// Last top-up: its code, octet string of up to 25; the amount and time follow.
pub const TOP_UP_CODE_1: AttributeId = AttributeId(0x0103);
/// Amount of the last top-up, i32.
pub const TOP_UP_AMOUNT_1: AttributeId = AttributeId(0x0101);
/// When the last top-up was made, UTC time.
pub const TOP_UP_TIME_1: AttributeId = AttributeId(0x0100);
/// Low credit warning level, u32.
pub const LOW_CREDIT_WARNING: AttributeId = AttributeId(0x0031);

octet! {
    /// Where a change or a credit comes from.
    OriginatingDevice {
        /// The supplier's interface to the home.
        0x00 EnergyServiceInterface,
        /// The meter.
        0x01 Meter,
        /// A display.
        0x02 InHomeDisplay,
    }
}

octet! {
    /// How a top-up ended.
    TopUpResult {
        /// Credit was added.
        0x00 Accepted,
        /// The code is not one of this meter's.
        0x01 Invalid,
        /// The code was used before.
        0x02 Duplicate,
        /// It went wrong otherwise.
        0x03 Error,
        /// The account would go above its limit.
        0x04 MaximumCreditReached,
        /// The keypad is locked.
        0x05 KeypadLocked,
        /// The top-up is larger than one may be.
        0x06 TopUpValueTooLarge,
        /// It is accepted, and the supply can be enabled.
        0x10 AcceptedSupplyEnabled,
        /// It is accepted, and the supply stays disabled.
        0x11 AcceptedSupplyDisabled,
        /// It is accepted, and a person must enable the supply.
        0x12 AcceptedSupplyArmed,
    }
}

commands! {
    /// Commands that a display or the supplier's side sends to the meter's account.
    ToServer: ToServer of CLUSTER;
    /// Emergency credit is taken.
    0x00 SelectAvailableEmergencyCredit {
        /// When.
        issued: UtcTime,
        /// Where from.
        originating_device: OriginatingDevice,
        /// Site identifier, up to 32 octets, of revisions before 1.2.
        site: Option<Vec<u8>>,
        /// Serial number of the meter, up to 24 octets, of revisions before 1.2.
        serial_number: Option<Vec<u8>>,
    }
    /// A debt is set or adjusted.
    0x02 ChangeDebt {
        /// Which change; a later one has a higher number.
        issuer_event: u32,
        /// Name of the debt, up to 12 octets.
        label: Vec<u8>,
        /// The amount.
        amount: i32,
        /// By time, percentage or catch-up.
        recovery_method: u8,
        /// Which debt, and whether the amount replaces or adds.
        amount_type: u8,
        /// From when it is recovered.
        recovery_start: UtcTime,
        /// Minutes after midnight at which it is collected.
        collection_time: u16,
        /// 00 hourly, 01 daily, 02 weekly, 03 monthly, 04 quarterly.
        recovery_frequency: u8,
        /// What is collected each time.
        recovery_amount: i32,
        /// Share of a top-up that is collected, in hundredths of a percent.
        recovery_percentage: u16,
    }
    /// How much emergency credit there is and when it can be taken.
    0x03 EmergencyCreditSetup {
        /// Which change.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// The allowance.
        limit: u32,
        /// The balance below which it can be taken.
        threshold: u32,
    }
    /// A person tops up.
    0x04 ConsumerTopUp {
        /// Where from.
        originating_device: OriginatingDevice,
        /// The code: for a UTRN its twenty digits as text.
        code: Vec<u8>,
    }
    /// Credit is adjusted without a code.
    0x05 CreditAdjustment {
        /// Which change.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// 00 added to what is there, 01 in its place.
        adjustment_type: u8,
        /// The value.
        value: i32,
    }
    /// Whether the customer pays in advance.
    0x06 ChangePaymentMode {
        /// Who changes it.
        provider: u32,
        /// Which change.
        issuer_event: u32,
        /// From when.
        implementation: UtcTime,
        /// As [`PAYMENT_CONTROL_CONFIGURATION`].
        configuration: u16,
        /// As [`CUT_OFF_VALUE`].
        cut_off: i32,
    }
    /// What were the accounts at a time?
    0x07 GetPrepaySnapshot {
        /// From when.
        earliest: UtcTime,
        /// Until when.
        latest: UtcTime,
        /// Which of those that match, from 0.
        offset: u8,
        /// Kinds of snapshot, one bit each.
        cause: u32,
    }
    /// Which top-ups were there?
    0x08 GetTopUpLog {
        /// Until when.
        latest: UtcTime,
        /// How many at most.
        records: u8,
    }
    /// At which balance a warning is shown.
    0x09 SetLowCreditWarningLevel {
        /// The balance.
        level: u32,
    }
    /// Which debt payments were there?
    0x0a GetDebtRepaymentLog {
        /// Until when.
        latest: UtcTime,
        /// How many at most.
        records: u8,
        /// Which debts.
        debt_type: u8,
    }
    /// How far an account may be topped up.
    0x0b SetMaximumCreditLimit {
        /// Who sets it.
        provider: u32,
        /// Which change.
        issuer_event: u32,
        /// From when.
        implementation: UtcTime,
        /// Highest balance.
        level: u32,
        /// Highest top-up.
        top_up: u32,
    }
    /// How much debt may be collected in a time.
    0x0c SetOverallDebtCap {
        /// Who sets it.
        provider: u32,
        /// Which change.
        issuer_event: u32,
        /// From when.
        implementation: UtcTime,
        /// The cap.
        cap: i32,
    }
}

commands! {
    /// Commands that the meter's account sends.
    ToClient: ToClient of CLUSTER;
    /// The accounts at a time.
    0x01 PublishPrepaySnapshot {
        /// Number of the snapshot.
        snapshot: u32,
        /// When it was taken.
        taken: UtcTime,
        /// How many match.
        found: u8,
        /// Which of the commands this is, from 0.
        index: u8,
        /// How many commands there are.
        total: u8,
        /// Why it was taken, one bit each.
        cause: u32,
        /// How the rest is laid out.
        payload_type: u8,
        /// The accounts, as octets.
        payload: ToEnd<u8>,
    }
    /// The payment mode is changed.
    0x02 ChangePaymentModeResponse {
        /// Whether there are friendly hours, and emergency credit.
        friendly_credit: u8,
        /// Their calendar.
        friendly_credit_calendar: u32,
        /// Allowance of emergency credit.
        emergency_credit_limit: u32,
        /// Balance at which it can be taken.
        emergency_credit_threshold: u32,
    }
    /// How a top-up ended.
    0x03 ConsumerTopUpResponse {
        /// How.
        result: TopUpResult,
        /// What was added.
        value: i32,
        /// Where from.
        source: OriginatingDevice,
        /// The balance after it.
        credit_remaining: i32,
    }
    /// Top-ups, latest first.
    0x05 PublishTopUpLog {
        /// Which of the commands this is, from 0.
        index: u8,
        /// How many commands there are.
        total: u8,
        /// The top-ups.
        top_ups: ToEnd<TopUp>,
    }
    /// Debt payments, latest first.
    0x06 PublishDebtLog {
        /// Which of the commands this is, from 0.
        index: u8,
        /// How many commands there are.
        total: u8,
        /// The payments.
        payments: ToEnd<DebtPayment>,
    }
}

record! {
    /// One top-up of a log.
    TopUp {
        /// Its code.
        code: Vec<u8>,
        /// Its amount.
        amount: i32,
        /// When.
        time: UtcTime,
    }
}

record! {
    /// One payment of a debt log.
    DebtPayment {
        /// When it was collected.
        collected: UtcTime,
        /// What was collected.
        amount: u32,
        /// Which debt.
        debt_type: u8,
        /// What is left.
        outstanding: u32,
    }
}
