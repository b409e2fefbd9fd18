//! Any octets as the line of a record, and as a lab book of one record: read as what is written the same again, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_lab::record::Record;
use proto_lab::record::book::LabState;

fuzz_target!(|line: &[u8]| {
    if let Ok(record) = Record::from_line(line) {
        let again = record.to_line().expect("written");
        assert_eq!(Record::from_line(again.trim_end().as_bytes()).expect("read back"), record);
        LabState::default().take(&record);
    }
});
