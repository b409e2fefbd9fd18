//! Price cluster (0700): what gas or electricity costs (Smart Energy 1.4, annex D.4).

use crate::ZigbeeError;
use crate::bytes::Reader;
use crate::field::{Counted, Field, ToEnd, U24, U48, UtcTime, commands, record};
use crate::zcl::AttributeId;

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0700;
/// Price of the only block of a tariff without tiers, u32.
pub const NO_TIER_BLOCK_1_PRICE: AttributeId = AttributeId(0x0400);
/// Price of the first block of the first tier, u32; blocks follow one by one, tiers at every sixteenth.
pub const TIER_1_BLOCK_1_PRICE: AttributeId = AttributeId(0x0410);
/// Threshold of the first block, u48; the others follow one by one.
pub const BLOCK_1_THRESHOLD: AttributeId = AttributeId(0x0100);
/// Label of the first tier, octet string; the others follow one by one.
pub const TIER_1_PRICE_LABEL: AttributeId = AttributeId(0x0000);
/// Unit of measure of the prices, enumeration.
pub const UNIT_OF_MEASURE: AttributeId = AttributeId(0x0615);
/// Standing charge of a day, u32.
pub const STANDING_CHARGE: AttributeId = AttributeId(0x0301);
/// Conversion factor from volume to corrected volume, u32.
pub const CONVERSION_FACTOR: AttributeId = AttributeId(0x0302);
/// Where the decimal point of the conversion factor stands, bitmap of one octet.
pub const CONVERSION_FACTOR_TRAILING_DIGIT: AttributeId = AttributeId(0x0303);
/// Calorific value, u32.
pub const CALORIFIC_VALUE: AttributeId = AttributeId(0x0304);
/// Unit of the calorific value, enumeration; 01 is megajoules a cubic metre.
pub const CALORIFIC_VALUE_UNIT: AttributeId = AttributeId(0x0305);
/// Where the decimal point of the calorific value stands, bitmap of one octet.
pub const CALORIFIC_VALUE_TRAILING_DIGIT: AttributeId = AttributeId(0x0306);
/// Label of the tariff, octet string.
pub const TARIFF_LABEL: AttributeId = AttributeId(0x0610);

commands! {
    /// Commands of the Price cluster that a display or a meter sends to the side that knows the prices.
    ToServer: ToServer of CLUSTER;
    /// What is the price now?
    0x00 GetCurrentPrice {
        /// Bit 0: the asker is listening while idle.
        options: u8,
    }
    /// Which prices are scheduled?
    0x01 GetScheduledPrices {
        /// From when.
        start: UtcTime,
        /// How many at most; 0 is all.
        events: u8,
    }
    /// A price was taken in.
    0x02 PriceAcknowledgement {
        /// Of which provider.
        provider: u32,
        /// Of which event.
        issuer_event: u32,
        /// When it was taken in.
        acknowledged: UtcTime,
        /// The control octet of the price.
        control: u8,
    }
    /// Which block periods are scheduled?
    0x03 GetBlockPeriods {
        /// From when.
        start: UtcTime,
        /// How many at most; 0 is all.
        events: u8,
        /// Delivered, received or both.
        tariff_type: Option<u8>,
    }
    /// Which conversion factors are scheduled?
    0x04 GetConversionFactor {
        /// From when.
        earliest: UtcTime,
        /// From which event; ffffffff is any.
        least_issuer_event: u32,
        /// How many at most; 0 is all.
        commands: u8,
    }
    /// Which calorific values are scheduled?
    0x05 GetCalorificValue {
        /// From when.
        earliest: UtcTime,
        /// From which event; ffffffff is any.
        least_issuer_event: u32,
        /// How many at most; 0 is all.
        commands: u8,
    }
    /// Which tariffs are scheduled?
    0x06 GetTariffInformation {
        /// From when.
        earliest: UtcTime,
        /// From which event; ffffffff is any.
        least_issuer_event: u32,
        /// How many at most; 0 is all.
        commands: u8,
        /// Delivered, received or both.
        tariff_type: u8,
    }
    /// What are the prices of a tariff?
    0x07 GetPriceMatrix {
        /// The tariff.
        issuer_tariff: u32,
    }
    /// What are the block thresholds of a tariff?
    0x08 GetBlockThresholds {
        /// The tariff.
        issuer_tariff: u32,
    }
    /// How much carbon dioxide does a unit stand for?
    0x09 GetCo2Value {
        /// From when.
        earliest: UtcTime,
        /// From which event; ffffffff is any.
        least_issuer_event: u32,
        /// How many at most; 0 is all.
        commands: u8,
        /// Delivered, received or both.
        tariff_type: u8,
    }
    /// What are the tiers of a tariff called?
    0x0a GetTierLabels {
        /// The tariff.
        issuer_tariff: u32,
    }
    /// Which billing periods are there?
    0x0b GetBillingPeriod {
        /// From when.
        earliest: UtcTime,
        /// From which event; ffffffff is any.
        least_issuer_event: u32,
        /// How many at most; 0 is all.
        commands: u8,
        /// Delivered, received or both.
        tariff_type: u8,
    }
    /// Which bills are there?
    0x0c GetConsolidatedBill {
        /// From when.
        earliest: UtcTime,
        /// From which event; ffffffff is any.
        least_issuer_event: u32,
        /// How many at most; 0 is all.
        commands: u8,
        /// Delivered, received or both.
        tariff_type: u8,
    }
    /// Whether the customer accepts a critical peak.
    0x0d CppEventResponse {
        /// Of which event.
        issuer_event: u32,
        /// Accepted or refused.
        authorisation: u8,
    }
    /// Which payments were made?
    0x0e GetCreditPayment {
        /// The latest end.
        latest_end: UtcTime,
        /// How many at most.
        records: u8,
    }
    /// Is there a change of currency?
    0x0f GetCurrencyConversion {}
    /// Was a tariff cancelled?
    0x10 GetTariffCancellation {}
}

commands! {
    /// Commands of the Price cluster that the side that knows the prices sends.
    ToClient: ToClient of CLUSTER;
    /// A price and when it holds.
    0x00 PublishPrice {
        /// Who publishes it.
        provider: u32,
        /// Name of the rate, up to 11 octets.
        rate_label: Vec<u8>,
        /// Which publication it is; a later one has a higher number.
        issuer_event: u32,
        /// The time of the side that publishes.
        current_time: UtcTime,
        /// What the price is for, an octet like the unit of measure of Metering.
        unit_of_measure: u8,
        /// ISO 4217 number of the currency; 826 is sterling.
        currency: u16,
        /// High nibble: digits after the decimal point; low nibble: tier.
        trailing_digit_and_tier: u8,
        /// High nibble: number of tiers; low nibble: register of the tier.
        tiers_and_register: u8,
        /// From when.
        start: UtcTime,
        /// For how many minutes; ffff until changed.
        minutes: u16,
        /// The price.
        price: u32,
        /// Ratio to the base price, ff unused.
        price_ratio: Option<u8>,
        /// Price paid for generation.
        generation_price: Option<u32>,
        /// Ratio of the generation price, ff unused.
        generation_price_ratio: Option<u8>,
        /// Cost by another measure, such as carbon dioxide.
        alternate_cost: Option<u32>,
        /// Its unit.
        alternate_cost_unit: Option<u8>,
        /// Its digits after the decimal point, in the high nibble.
        alternate_cost_trailing_digit: Option<u8>,
        /// Number of block thresholds.
        block_thresholds: Option<u8>,
        /// Bit 0: an acknowledgement is wanted.
        control: Option<u8>,
    }
    /// A block period.
    0x01 PublishBlockPeriod {
        /// Who publishes it.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// How long, in the unit of `duration_type`.
        duration: U24,
        /// Price acknowledgement wanted, and whether thresholds repeat.
        control: u8,
        /// Unit and start of the duration.
        duration_type: Option<u8>,
        /// Delivered, received or both.
        tariff_type: Option<u8>,
        /// Block, tier or both.
        tariff_resolution: Option<u8>,
    }
    /// How volume is corrected for pressure and temperature.
    0x02 PublishConversionFactor {
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// The factor.
        factor: u32,
        /// Digits after the decimal point, in the high nibble.
        trailing_digit: u8,
    }
    /// How much energy a volume of gas holds.
    0x03 PublishCalorificValue {
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// The value.
        value: u32,
        /// 01 megajoules a cubic metre, 02 a kilogram.
        unit: u8,
        /// Digits after the decimal point, in the high nibble.
        trailing_digit: u8,
    }
    /// What a tariff is like; its prices and thresholds follow in commands of their own.
    0x04 PublishTariffInformation {
        /// Who publishes it.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// The tariff.
        issuer_tariff: u32,
        /// From when.
        start: UtcTime,
        /// Low nibble: delivered, received or both; high nibble: tiers, blocks or both.
        tariff_type_and_scheme: u8,
        /// Name of the tariff, up to 24 octets.
        label: Vec<u8>,
        /// Number of price tiers in use.
        price_tiers: u8,
        /// Number of block thresholds in use.
        block_thresholds: u8,
        /// What the prices are for.
        unit_of_measure: u8,
        /// ISO 4217 number of the currency.
        currency: u16,
        /// Digits after the decimal point, in the high nibble.
        price_trailing_digit: u8,
        /// Charge of a day.
        standing_charge: u32,
        /// How blocks and tiers combine; ff where they do not.
        tier_block_mode: u8,
        /// Thresholds are multiplied by this.
        threshold_multiplier: U24,
        /// And divided by this.
        threshold_divisor: U24,
    }
    /// Prices of a tariff, tier by tier or block by block.
    0x05 PublishPriceMatrix {
        /// Who publishes it.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// The tariff.
        issuer_tariff: u32,
        /// Which of the commands this is, from 0.
        index: u8,
        /// How many commands there are.
        total: u8,
        /// Bit 0: the prices are of tiers rather than blocks.
        control: u8,
        /// The prices.
        prices: ToEnd<TierPrice>,
    }
    /// Block thresholds of a tariff.
    0x06 PublishBlockThresholds {
        /// Who publishes them.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// The tariff.
        issuer_tariff: u32,
        /// Which of the commands this is, from 0.
        index: u8,
        /// How many commands there are.
        total: u8,
        /// Bit 0: the thresholds hold for every tier.
        control: u8,
        /// The thresholds.
        thresholds: ToEnd<TierThresholds>,
    }
    /// How much carbon dioxide a unit stands for.
    0x07 PublishCo2Value {
        /// Who publishes it.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// Delivered, received or both.
        tariff_type: u8,
        /// The value.
        value: u32,
        /// Its unit.
        unit: u8,
        /// Digits after the decimal point, in the high nibble.
        trailing_digit: u8,
    }
    /// What the tiers of a tariff are called.
    0x08 PublishTierLabels {
        /// Who publishes them.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// The tariff.
        issuer_tariff: u32,
        /// Which of the commands this is, from 0.
        index: u8,
        /// How many commands there are.
        total: u8,
        /// The labels.
        labels: Counted<TierLabel>,
    }
    /// A billing period.
    0x09 PublishBillingPeriod {
        /// Who publishes it.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// How long, in the unit of `duration_type`.
        duration: U24,
        /// Unit and start of the duration.
        duration_type: u8,
        /// Delivered, received or both.
        tariff_type: u8,
    }
    /// The bill of a period.
    0x0a PublishConsolidatedBill {
        /// Who publishes it.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// How long, in the unit of `duration_type`.
        duration: U24,
        /// Unit and start of the duration.
        duration_type: u8,
        /// Delivered, received or both.
        tariff_type: u8,
        /// The bill.
        bill: u32,
        /// ISO 4217 number of the currency.
        currency: u16,
        /// Digits after the decimal point, in the high nibble.
        trailing_digit: u8,
    }
    /// A critical peak.
    0x0b PublishCppEvent {
        /// Who publishes it.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// For how many minutes.
        minutes: u16,
        /// Delivered, received or both.
        tariff_type: u8,
        /// The tier of its price.
        price_tier: u8,
        /// Whether the customer must accept it.
        authorisation: u8,
    }
    /// A payment.
    0x0c PublishCreditPayment {
        /// Who publishes it.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// When it was due.
        due: UtcTime,
        /// What is overdue.
        overdue: u32,
        /// How the payment stands.
        status: u8,
        /// What was paid.
        paid: u32,
        /// When it was paid.
        paid_at: UtcTime,
        /// Reference of the payment.
        reference: Vec<u8>,
    }
    /// A change of currency.
    0x0d PublishCurrencyConversion {
        /// Who publishes it.
        provider: u32,
        /// Which publication.
        issuer_event: u32,
        /// From when.
        start: UtcTime,
        /// The currency until then.
        old_currency: u16,
        /// The currency from then.
        new_currency: u16,
        /// The factor between them.
        factor: u32,
        /// Its digits after the decimal point, in the high nibble.
        trailing_digit: u8,
        /// What is converted.
        change_control: u32,
    }
    /// A tariff that will not come into force.
    0x0e CancelTariff {
        /// Who publishes it.
        provider: u32,
        /// The tariff.
        issuer_tariff: u32,
        /// Delivered, received or both.
        tariff_type: u8,
    }
}

record! {
    /// One price of a matrix.
    TierPrice {
        /// The tier, or the tier in the high nibble and the block in the low one.
        tier_or_block: u8,
        /// The price.
        price: u32,
    }
}

record! {
    /// The label of one tier.
    TierLabel {
        /// The tier.
        tier: u8,
        /// What it is called, up to 12 octets.
        label: Vec<u8>,
    }
}

/// Thresholds of one tier. On the wire the low nibble of their first octet counts them, so there are at most
/// fifteen; more are cut when written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierThresholds {
    /// The tier, 0 to 15.
    pub tier: u8,
    /// The thresholds, lowest first.
    pub thresholds: Vec<U48>,
}

impl Field for TierThresholds {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let first = reader.u8(what)?;
        let thresholds = (0..first & 0x0f).map(|_| U48::read(reader, what)).collect::<Result<_, _>>()?;
        Ok(Self { tier: first >> 4, thresholds })
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        let count = u8::try_from(self.thresholds.len()).unwrap_or(u8::MAX).min(0x0f);
        out.push(self.tier << 4 | count);
        self.thresholds.iter().take(count.into()).all(|threshold| threshold.write(out))
    }
}
