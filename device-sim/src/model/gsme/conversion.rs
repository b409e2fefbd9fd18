//! From volume to energy: kWh = m3 x volume conversion factor x calorific value / 3.6.
//!
//! All in whole numbers, so that no half hour is rounded: volume as litres an hour times milliseconds, the factor in
//! hundred thousandths, the calorific value in hundredths of a megajoule a cubic metre.

use super::super::curve::Flow;

/// Units in which gas is billed that make a kilowatt hour: 3.6e6 ms/h x 1e3 l/m3 x 1e5 x 1e2 x 3.6 MJ/kWh.
pub const UNITS_PER_KWH: u128 = 3_600_000 * 1_000 * 100_000 * 100 * 36 / 10;

/// What the meter converts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    calorific_value: u32,
    factor: u32,
}

/// A number no gas has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConversionError {
    /// A calorific value outside what any gas in a network has.
    #[error("calorific value of {0}/100 MJ/m3: expected 20.00 to 60.00")]
    CalorificValue(u32),
    /// A factor outside what pressure and temperature make of a volume.
    #[error("volume conversion factor of {0}/100000: expected 0.50000 to 2.00000")]
    Factor(u32),
}

impl Default for Conversion {
    /// 39.50 MJ/m3 and the factor 1.02264 of the Gas (Calculation of Thermal Energy) Regulations.
    fn default() -> Self {
        Self { calorific_value: 3_950, factor: 102_264 }
    }
}

impl Conversion {
    /// In hundredths of a megajoule a cubic metre.
    pub const fn calorific_value(self) -> u32 {
        self.calorific_value
    }

    /// In hundred thousandths.
    pub const fn factor(self) -> u32 {
        self.factor
    }

    /// Another calorific value, in hundredths of a megajoule a cubic metre.
    ///
    /// # Errors
    /// [`ConversionError::CalorificValue`].
    pub fn with_calorific_value(self, hundredths: u32) -> Result<Self, ConversionError> {
        match hundredths {
            2_000..=6_000 => Ok(Self { calorific_value: hundredths, ..self }),
            other => Err(ConversionError::CalorificValue(other)),
        }
    }

    /// Another factor, in hundred thousandths.
    ///
    /// # Errors
    /// [`ConversionError::Factor`].
    pub fn with_factor(self, hundred_thousandths: u32) -> Result<Self, ConversionError> {
        match hundred_thousandths {
            50_000..=200_000 => Ok(Self { factor: hundred_thousandths, ..self }),
            other => Err(ConversionError::Factor(other)),
        }
    }

    /// The energy of a volume, in billing units.
    pub fn energy_of(self, volume: Flow) -> u128 {
        volume.raw().saturating_mul(u128::from(self.factor) * u128::from(self.calorific_value))
    }

    /// The energy of a flow in litres an hour over so many milliseconds, in billing units.
    pub fn energy(self, flow: u32, millis: u64) -> u128 {
        let volume = u128::from(flow) * u128::from(millis);
        volume.saturating_mul(u128::from(self.factor) * u128::from(self.calorific_value))
    }
}

/// Billing units as whole watt hours.
pub fn watt_hours(units: u128) -> u64 {
    u64::try_from(units / (UNITS_PER_KWH / 1000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn a_cubic_metre_is_what_the_formula_says() {
        // 1 m3 x 1.02264 x 39.50 / 3.6 = 11.220633... kWh
        assert_eq!(watt_hours(Conversion::default().energy(1000, HOUR)), 11_220);
        // 123.456 m3 x 1.02264 x 39.50 / 3.6 = 1385.254... kWh, from an independent calculator
        assert_eq!(watt_hours(Conversion::default().energy(123_456, HOUR)), 1_385_254);
        let other = Conversion::default().with_calorific_value(3_912).unwrap().with_factor(100_000).unwrap();
        assert_eq!(watt_hours(other.energy(1000, HOUR)), 10_866);
    }

    #[test]
    fn what_no_gas_has_is_refused() {
        let conversion = Conversion::default();
        assert_eq!(conversion.with_calorific_value(0), Err(ConversionError::CalorificValue(0)));
        assert_eq!(conversion.with_factor(200_001), Err(ConversionError::Factor(200_001)));
    }

    proptest! {
        #[test]
        fn splitting_a_time_changes_no_energy(flow in 0u32..6_000, first in 0u64..HOUR, second in 0u64..HOUR) {
            let conversion = Conversion::default();
            let split = conversion.energy(flow, first) + conversion.energy(flow, second);
            prop_assert_eq!(conversion.energy(flow, first + second), split);
        }
    }
}
