//! Group 3, what the customer sees at the meter: messages, names, logs and privacy.

use jiff::Timestamp;

texts! {
    /// What a meter shows.
    SupplierMessage(1..=116, Printable);
    /// A supplier's name.
    SupplierName(1..=15, Printable);
    /// A supplier's telephone number.
    TelephoneNumber(1..=18, Digits);
}

word_enum! {
    /// Which event log of an electricity meter is cleared.
    EsmeEventLog, "event log" {
        /// That of the meter.
        Esme = "ESME",
        /// That of auxiliary load control.
        Alcs = "ALCS",
    }
}

words!(EsmeEventLog);

group! {
    /// 3.1: a message on the meter's display.
    ///
    /// Fields: `SupplierMessage`, `ExecutionDateTime` (optional).
    DisplayMessage {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The message.
        message: SupplierMessage = "SupplierMessage",
    }
    /// 3.2: what was recorded before a change of tenancy is no longer shown to the customer.
    ///
    /// Fields: `RestrictionDateTime`, `ExecutionDateTime` (optional).
    RestrictAccessForChangeOfTenancy {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The moment of the change.
        restriction: Timestamp = "RestrictionDateTime",
    }
    /// 3.3: an event log is cleared.
    ///
    /// Fields: `ESMEEventLogType` (optional: `ESME` or `ALCS`).
    ClearEventLog {
        /// Which of an electricity meter; none for the others.
        log: Option<EsmeEventLog> = "ESMEEventLogType",
    }
    /// 3.4: the supplier's name and telephone number on the meter's display.
    ///
    /// Fields: `SupplierName`, `SupplierTelephoneNumber`, `ExecutionDateTime` (optional).
    UpdateSupplierName {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The name.
        name: SupplierName = "SupplierName",
        /// The telephone number.
        telephone: TelephoneNumber = "SupplierTelephoneNumber",
    }
}
