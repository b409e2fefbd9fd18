//! Units of fields, where something published or a message of the other direction says them: the schema names almost none.

use super::KnownField;
use super::fields::without_indices;

/// Sums of prepayment: an electricity meter has them in thousandths of a penny, a gas meter in a unit of its own.
const SUM: &str = "thousandths of a penny for electricity; for gas the meter's own";

const UNITS: &[(&str, &str)] = &[
    ("TolerancePeriod", "seconds"),
    ("DisablementThreshold", SUM),
    ("EmergencyCreditLimit", SUM),
    ("EmergencyCreditThreshold", SUM),
    ("LowCreditThreshold", SUM),
    ("MaxMeterBalance", SUM),
    ("MaxCreditThreshold", SUM),
    ("TimeDebtRegister1", SUM),
    ("TimeDebtRegister2", SUM),
    ("PaymentDebtRegister", SUM),
    ("DebtRecoveryPerPayment", "hundredths of a per cent"),
    ("StandingCharge", "a day, in ten to the power of StandingChargeScale where that is given"),
    ("StandingChargeScale", "power of ten"),
    ("PriceScale", "power of ten"),
    ("DebtRecoveryRatePriceScale", "power of ten"),
    ("TOUPrice[]", "in ten to the power of PriceScale where that is given"),
    ("BlockPrice[]", "in ten to the power of PriceScale where that is given"),
];

impl KnownField {
    /// Its unit, where one is known.
    pub fn unit(&self) -> Option<&'static str> {
        let name = without_indices(&self.name);
        let element = name.rsplit('.').next().unwrap_or_default();
        UNITS.iter().find(|(known, _)| *known == element).map(|(_, unit)| *unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequestBody, Srv};

    #[test]
    fn every_unit_is_of_a_field_some_variant_has() {
        let fields: Vec<KnownField> = Srv::ALL.iter().flat_map(|srv| RequestBody::fields(*srv)).collect();
        for (name, unit) in UNITS {
            let has = |field: &KnownField| {
                without_indices(&field.name).rsplit('.').next() == Some(name) && field.unit() == Some(unit)
            };
            assert!(fields.iter().any(has), "{name}");
        }
        let tolerance = RequestBody::fields(Srv::SynchroniseClock).pop();
        assert_eq!(tolerance.and_then(|field| field.unit()), Some("seconds"));
    }
}
