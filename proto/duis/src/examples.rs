//! One or more of every message, for tests, fuzzing seeds and documents.
//!
//! The identities are those of published test data; the values are made up.

use crate::body::EsmeVariant;
use crate::body::part::{Leaf, Value};
use crate::message::{
    ClockStatus, DccContent, DeviceAlert, InventoryDevice, Response, ResponsePayload, S1spAlert, Smets1Body,
    Smets1Debug, Smets1Response, Smets1Timestamp, StoredSchedule, UpdateFirmwareWarning,
};
use crate::mmc::build::{self, Decimal, Fuel, Identity, LogEntry, PrepayValues, SupplyState, Tariff};
use crate::mmc::{FormError, MmcBody, MmcElement};
use crate::utrn::UtrnFormatError;
use crate::{
    AlertCode, DeviceIdList, DeviceKind, DeviceStatus, Eui64, FieldError, Request, RequestBody, RequestId,
    ResponseCode, Srv,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

mod by_hand;
mod draw;
mod reads;

pub use draw::Draw;

/// A test supplier.
pub const USER: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x01, 0x00, 0x00]);
/// A meter.
pub const DEVICE: Eui64 = Eui64::new([0x00, 0xDB, 0x12, 0x34, 0x56, 0x78, 0x90, 0xA0]);
/// The moment the examples were written: 2026-11-21T09:30:00Z.
pub const TIME: Timestamp = Timestamp::constant(1_795_253_400, 0);

/// The longest inventory answer of the schema.
const MAX_DEVICES: usize = 17;

/// The hash of an image.
const HASH: &str = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";

/// Fields as a script gives them.
type Fields = &'static [(&'static str, &'static str)];

/// Fields of every form a request takes: several for a variant whose body has alternatives.
const FIELDS: &[(Srv, &[(&str, &str)])] = &[
    (
        Srv::UpdatePricePrimaryElement,
        &[
            ("StandingCharge", "5300"),
            ("StandingChargeScale", "-2"),
            ("PriceScale", "-5"),
            ("TOUPrice[1]", "2750"),
            ("TOUPrice[2]", "1410"),
        ],
    ),
    (
        Srv::UpdatePricePrimaryElement,
        &[
            ("ExecutionDateTime", "2026-12-01T00:00:00Z"),
            ("StandingCharge", "53"),
            ("StandingChargeScale", "0"),
            ("PriceScale", "-5"),
            ("BlockPrices[1].BlockPrice[1]", "2750"),
            ("BlockPrices[1].BlockPrice[2]", "2900"),
            ("TOUPrice[1]", "1410"),
        ],
    ),
    (
        Srv::UpdatePricePrimaryElement,
        &[
            ("StandingCharge", "53"),
            ("StandingChargeScale", "0"),
            ("PriceScale", "0"),
            ("BlockPrices[2].BlockPrice[4]", "-1"),
        ],
    ),
    (
        Srv::UpdatePricePrimaryElement,
        &[("CurrencyUnits", "GBP"), ("StandingCharge", "29000"), ("TOUPrice[1]", "6240")],
    ),
    (
        Srv::UpdatePricePrimaryElement,
        &[
            ("CurrencyUnits", "GBP"),
            ("StandingCharge", "29000"),
            ("BlockPrice[1]", "6240"),
            ("BlockPrice[2]", "5900"),
            ("NumberOfThresholds", "1"),
        ],
    ),
    (Srv::UpdatePaymentMode, &[("Credit", "true")]),
    (
        Srv::UpdatePaymentMode,
        &[
            ("SuspendDebtDisabled", "true"),
            ("SuspendDebtEmergency", "false"),
            ("DisablementThreshold", "-1000"),
        ],
    ),
    (Srv::TopUpDevice, &[("UTRN", "02500000420427214348")]),
    (Srv::ReadInstantaneousImportRegisters, &[]),
    (Srv::ReadInstantaneousImportRegisters, &[("ExecutionDateTime", "2026-12-01T00:00:00Z")]),
    (Srv::ReadInstantaneousPrepayValues, &[]),
    (
        Srv::ReadActiveImportProfileData,
        &[("StartDateTime", "2026-11-20T00:00:00Z"), ("EndDateTime", "2026-11-20T23:59:59Z")],
    ),
    (
        Srv::ReadActiveImportProfileData,
        &[
            ("StartDateTime", "2026-11-20T00:00:00Z"),
            ("EndDateTime", "2026-11-20T23:59:59Z"),
            ("KAPublicSecurityCredentials", "MIIB"),
        ],
    ),
    (Srv::ReadTariffPrimaryElement, &[]),
    (Srv::ReadActivePowerImport, &[]),
    (Srv::ReadMeterBalance, &[]),
    (Srv::ReadDeviceConfigurationIdentityExcMPxN, &[]),
    (Srv::SynchroniseClock, &[("CurrentDateTime", "2026-11-21T09:30:00Z"), ("TolerancePeriod", "10")]),
    (
        Srv::ReadEventOrSecurityLog,
        &[
            ("StartDateTime", "2026-11-20T00:00:00Z"),
            ("EndDateTime", "2026-11-21T00:00:00Z"),
            ("LogToRead", "Event"),
        ],
    ),
    (Srv::EnableSupply, &[]),
    (Srv::DisableSupply, &[]),
    (Srv::ArmSupply, &[]),
    (Srv::ReadSupplyStatus, &[]),
    (Srv::ReadInventory, &[("DeviceID", "00-DB-12-34-56-78-90-A0")]),
    (Srv::ReadInventory, &[("MPxN", "1200023305967")]),
    (Srv::ReadInventory, &[("UPRN", "100023336956")]),
    (Srv::ReadInventory, &[("PostCode", "SW1A 2AA"), ("AddressIdentifier", "10")]),
    (Srv::ReadDeviceLog, &[]),
    (Srv::ReadDeviceLog, &[("ReadSecurityDetails", "true")]),
    (Srv::ReadFirmwareVersion, &[]),
    (
        Srv::UpdateFirmware,
        &[
            ("FirmwareImage", "U01GVwE="),
            ("FirmwareVersion", "P4X2G05"),
            ("DeviceIDList", "00-DB-12-34-56-78-90-A0,00-DB-12-34-56-78-90-A1"),
        ],
    ),
    (Srv::ActivateFirmware, &[("FirmwareHash", HASH)]),
    (Srv::ActivateFirmware, &[("ExecutionDateTime", "2026-12-01T00:00:00Z"), ("FirmwareHash", HASH)]),
];

/// Every example of a request's fields, as a script gives them.
pub fn fields() -> Vec<(Srv, BTreeMap<String, String>)> {
    let owned = |fields: &[(&str, &str)]| {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    FIELDS
        .iter()
        .chain(by_hand::FIELDS)
        .chain(reads::FIELDS)
        .map(|(srv, fields)| (*srv, owned(fields)))
        .collect()
}

/// A request of every form.
///
/// # Errors
/// None, unless this module is wrong.
pub fn requests() -> Result<Vec<Request>, FieldError> {
    let bodies = fields().into_iter().map(|(srv, fields)| RequestBody::from_fields(srv, &fields));
    let mut bodies: Vec<RequestBody> = bodies.collect::<Result<_, _>>()?;
    for srv in Srv::ALL {
        let extremes = [Draw::least(), Draw::most()];
        bodies.extend(extremes.into_iter().filter_map(|mut draw| RequestBody::sample(*srv, &mut draw)));
    }
    Ok((1..).zip(bodies).map(|(counter, body)| as_request(counter, body)).collect())
}

/// A request of this variant, its body drawn at random; none for the few variants whose body cannot be drawn.
pub fn drawn(srv: Srv, draw: &mut Draw<'_>) -> Option<Request> {
    RequestBody::sample(srv, draw).map(|body| as_request(1, body))
}

pub(crate) fn as_request(counter: u64, body: RequestBody) -> Request {
    let dcc = body.srv().is_for_the_dcc();
    let target = if dcc { Eui64::ACCESS_CONTROL_BROKER } else { DEVICE };
    Request::new(RequestId { originator: USER, target, counter }, body)
}

/// A request's document with one element of its body damaged: the element counted from the body's on (`at`, round and
/// round) is taken out, renamed, or given text that fits no element, as `how` is 0, 1 or more.
pub fn damaged(xml: &str, at: usize, how: u32) -> String {
    let start = xml.find("<sr:Body>").map_or(0, |body| body + "<sr:Body>".len());
    let end = xml.find("</sr:Body>").unwrap_or(xml.len());
    damaged_between(xml, start, end, "sr", at, how)
}

/// As [`damaged`], of a document whose elements between the octets `start` and `end` have this prefix.
pub fn damaged_between(xml: &str, start: usize, end: usize, prefix: &str, at: usize, how: u32) -> String {
    let opening = format!("<{prefix}:");
    let tags: Vec<usize> = xml[start..end].match_indices(&opening).map(|(tag, _)| start + tag).collect();
    let Some(tag) = tags.get(at % tags.len().max(1)).copied() else { return xml.to_owned() };
    let name_end = xml[tag..].find(['>', '/', ' ']).map_or(end, |length| tag + length);
    let name = &xml[tag + 1..name_end];
    let open_end = xml[tag..].find('>').map_or(end, |length| tag + length + 1);
    let empty = xml[..open_end].ends_with("/>");
    let close = format!("</{name}>");
    let close_at = if empty { open_end } else { xml[tag..].find(&close).map_or(end, |at| tag + at) };
    let element_end = if empty { open_end } else { close_at + close.len() };
    let (before, after) = (&xml[..tag], &xml[element_end..]);
    let attributes = xml[name_end..open_end].trim_end_matches(['>', '/']);
    let content = if empty { "" } else { &xml[open_end..close_at] };
    match how {
        0 => format!("{before}{after}"),
        1 => format!("{before}<{prefix}:Nonsense{attributes}>{content}</{prefix}:Nonsense>{after}"),
        _ => format!("{before}<{name}{attributes}>no text of any form of DUIS é</{name}>{after}"),
    }
}

/// An answer of every form an S1SP gives: every variant, both fuels, success and failure.
///
/// # Errors
/// None, unless this module is wrong.
pub fn answers() -> Result<Vec<MmcBody>, FormError> {
    let energy = |mantissa| (TIME, Decimal { mantissa, exponent: 0 });
    let gas = |mantissa| Decimal { mantissa, exponent: -3 };
    let tariff = Tariff {
        active_price: Some(1410),
        standing_charge: Some(5300),
        standing_charge_scale: Some(-2),
        price_scale: Some(-5),
        tou_prices: vec![2750, 1410],
        block_prices: vec![vec![2750, 1], vec![3000]],
        calendar: None,
        thresholds: vec![vec![10, 20], vec![]],
    };
    let gas_tariff = Tariff { block_prices: vec![vec![2750]], thresholds: vec![vec![500]], ..tariff.clone() };
    let identity = |supply_tamper| Identity {
        device: DEVICE,
        model: "00A10001".to_owned(),
        manufacturer: "1052".to_owned(),
        supply_tamper,
    };
    let log = [LogEntry { time: TIME, code: AlertCode::TAMPER, meaning: "Cover opened & closed".to_owned() }];
    let balance = PrepayValues { meter_balance: Some(-250_000), ..PrepayValues::default() };
    let mut answers = vec![
        build::import_registers_electricity(Some(123_456), Some(-7))?,
        build::import_registers_gas(gas(1_234_567))?,
        build::prepay_values(balance)?,
        build::profile(Fuel::Electricity, &[energy(512), energy(498)])?,
        build::profile(Fuel::Gas, &[(TIME, gas(42))])?,
        build::tariff(Fuel::Electricity, &tariff)?,
        build::tariff(Fuel::Gas, &gas_tariff)?,
        build::active_power_import(512)?,
        build::meter_balance(Some(1_000), Some(-250))?,
        build::identity(&identity(Some((Fuel::Electricity, true))))?,
        build::identity(&identity(None))?,
        build::synchronise_clock(true, Some(TIME), Some(ClockStatus::Reliable))?,
        build::synchronise_clock(false, Some(TIME), None)?,
        build::event_log(&log)?,
        build::supply_status(SupplyState::Armed, None)?,
        build::supply_status(SupplyState::Enabled, Some(3_650))?,
        build::device_log(&[(DEVICE, DeviceKind::Esme)])?,
        build::chf_device_log(&[(DEVICE, Some(TIME)), (USER, None)])?,
        build::firmware_version("0000A001")?,
        build::activate_firmware(Some(build::Activation::Success), Some("P4X2G05"))?,
        build::activate_firmware(Some(build::Activation::HashMismatch), None)?,
        build::activate_firmware(None, None)?,
    ];
    let plain = [Srv::UpdatePricePrimaryElement, Srv::UpdatePaymentMode, Srv::TopUpDevice];
    for srv in plain.into_iter().chain([Srv::EnableSupply, Srv::DisableSupply, Srv::ArmSupply]) {
        answers.push(build::done(srv)?);
    }
    for mut draw in [Draw::least(), Draw::most()] {
        answers.extend(reads::calendars(&mut draw)?);
    }
    answers.extend(by_hand::answers()?);
    answers.extend(reads::answers()?);
    for srv in Srv::ALL.iter().filter(|srv| !srv.is_for_the_dcc()) {
        // What has no example with data says only that it was done.
        if !answers.iter().any(|answer| answer.srv() == *srv) {
            answers.push(build::done(*srv)?);
        }
        answers.push(build::failed(*srv, Fuel::Gas)?);
    }
    Ok(answers)
}

/// A device's word of every form: each answer of [`answers`], one without data, and alerts.
///
/// # Errors
/// None, unless this module is wrong.
pub fn device_messages() -> Result<Vec<Smets1Response>, FormError> {
    let id = |counter| RequestId { originator: USER, target: DEVICE, counter };
    let answer = |(counter, data): (u64, MmcBody)| {
        let failed = data.success() == Some(false);
        let reason = Smets1Debug {
            code: 13,
            error: "object unavailable <1-0:1.8.0>".to_owned(),
            position: NonZeroU32::MIN,
        };
        let debug = failed.then_some(reason).into_iter().collect();
        Smets1Response::answer(id(counter), ResponsePayload { data: Some(data), debug })
    };
    let mut messages: Vec<Smets1Response> = (1..).zip(answers()?).map(answer).collect();
    let debug =
        vec![Smets1Debug { code: -1, error: "no route to the device".to_owned(), position: NonZeroU32::MIN }];
    let mut empty = Smets1Response::answer(id(900), ResponsePayload { data: None, debug });
    let clock_status = Some(ClockStatus::Unreliable);
    empty.timestamp = Some(Smets1Timestamp { time: TIME, is_from_gsme: Some(true), clock_status });
    messages.push(empty);
    let alert = |counter, alert| Smets1Response { body: Smets1Body::Alert(alert), ..messages_alert(counter) };
    let image = MmcElement::leaf("ManufacturerImageHash", "00FF");
    let payload = MmcElement::new("FirmwareVerificationDeviceAlert").with(image);
    let description = || "something the meter noticed".to_owned();
    messages.push(alert(
        901,
        DeviceAlert { code: Some(AlertCode::TAMPER), description: description(), time: TIME, payload: None },
    ));
    let code = Some(AlertCode::FIRMWARE_VERIFIED);
    messages.push(alert(
        902,
        DeviceAlert { code, description: description(), time: TIME, payload: Some(payload) },
    ));
    Ok(messages)
}

fn messages_alert(counter: u64) -> Smets1Response {
    let payload = ResponsePayload { data: None, debug: Vec::new() };
    Smets1Response::answer(RequestId { originator: USER, target: DEVICE, counter }, payload)
}

/// S1SP alerts: the least and the most one says.
///
/// # Errors
/// None, unless this module is wrong.
pub fn s1sp_alerts() -> Result<Vec<S1spAlert>, UtrnFormatError> {
    let least = S1spAlert {
        request: None,
        device: None,
        code: "S1VE1".to_owned(),
        information: None,
        utrn: None,
        time: TIME,
    };
    let most = S1spAlert {
        request: Some(RequestId { originator: USER, target: DEVICE, counter: 7 }),
        device: Some(DEVICE),
        information: Some("counter 6 is not above 6".to_owned()),
        utrn: Some("02500000420427214348".parse()?),
        ..least.clone()
    };
    Ok(vec![least, most])
}

/// Schedules as the DCC tells of them, so many, drawn at random.
pub fn schedules(count: usize, draw: &mut Draw<'_>) -> Vec<StoredSchedule> {
    let one = |_| StoredSchedule { id: Leaf::sample(draw), details: Value::sample(draw) };
    (0..count).map(one).collect()
}

/// The answers to 5.1 and 5.2, and that a read which a schedule made has no answer.
fn schedule_responses() -> Vec<Response> {
    let id = RequestId { originator: USER, target: Eui64::ACCESS_CONTROL_BROKER, counter: 8 };
    let octets: Vec<u8> = (0..=255).cycle().take(4_000).collect();
    let schedules = schedules(StoredSchedule::MOST, &mut Draw::new(&octets));
    let Some(first) = schedules.first().map(|schedule| schedule.id) else { return Vec::new() };
    let reading = RequestId { target: DEVICE, ..id };
    vec![
        Response::own(id, Srv::CreateSchedule, DccContent::ScheduleId(first), TIME),
        Response::own(id, Srv::ReadSchedule, DccContent::Schedules(schedules), TIME),
        Response::scheduled_failure(
            first,
            reading,
            Srv::ReadActivePowerImport,
            ResponseCode::CANNOT_COMMUNICATE,
            TIME,
        ),
    ]
}

/// The DCC's own responses: acknowledgements, refusals, an inventory, schedules.
pub fn dcc_responses() -> Vec<Response> {
    let id = RequestId { originator: USER, target: DEVICE, counter: 7 };
    let codes = [ResponseCode::ACKNOWLEDGED, ResponseCode::UNKNOWN_DEVICE];
    let acknowledgement = |code| Response::acknowledgement(id, Srv::ArmSupply, code, TIME);
    let device = |kind, firmware: Option<&str>| InventoryDevice {
        id: DEVICE,
        kind,
        status: Some(DeviceStatus::Commissioned),
        manufacturer: "1052".to_owned(),
        model: "00A10001".to_owned(),
        specification: None,
        firmware: firmware.map(str::to_owned),
        commissioned: Some(jiff::civil::date(2020, 3, 31)),
        import_mpxn: Some("1200023305967".to_owned()),
        secondary_import_mpan: None,
        export_mpan: None,
        variant: None,
        s1sp: Some("S1SP".to_owned()),
    };
    let devices = vec![device(DeviceKind::Esme, Some("0000A001")), device(DeviceKind::Chf, None)];
    let whole = |variant: &EsmeVariant| InventoryDevice {
        specification: Some("SMETS1 v1.58".to_owned()),
        secondary_import_mpan: Some("1200023305968".to_owned()),
        export_mpan: Some("1200023305969".to_owned()),
        variant: Some(*variant),
        ..device(DeviceKind::Esme, Some("0000A001"))
    };
    let described = EsmeVariant::ALL
        .chunks(MAX_DEVICES)
        .map(|variants| Response::inventory(id, variants.iter().map(whole).collect(), TIME));
    let described: Vec<Response> = described.collect();
    let list = |devices: &[Eui64]| DeviceIdList::new(devices.iter().copied());
    let warning = UpdateFirmwareWarning {
        invalid: list(&[USER]),
        not_commissioned: list(&[DEVICE, USER]),
        not_applicable: list(&[DEVICE]),
        in_progress: list(&[DEVICE]),
        gbcs_version: None,
    };
    let firmware = Response::firmware_warning(id, ResponseCode::FIRMWARE_WARNING, warning, TIME);
    let inventory = Response::inventory(id, devices, TIME);
    let own = schedule_responses().into_iter().chain(described).chain([firmware, inventory]);
    codes.into_iter().map(acknowledgement).chain(own).collect()
}
