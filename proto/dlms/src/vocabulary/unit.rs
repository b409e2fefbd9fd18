//! Physical units (IEC 62056-6-2, 4.3.2).

/// A unit by its number in the standard's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit(pub u8);

/// Number, symbol, what it measures.
static UNITS: &[(u8, &str, &str)] = &[
    (1, "a", "years"),
    (2, "mo", "months"),
    (3, "wk", "weeks"),
    (4, "d", "days"),
    (5, "h", "hours"),
    (6, "min", "minutes"),
    (7, "s", "seconds"),
    (8, "°", "phase angle"),
    (9, "°C", "temperature"),
    (10, "currency", "local currency"),
    (11, "m", "length"),
    (12, "m/s", "speed"),
    (13, "m3", "volume"),
    (14, "m3", "corrected volume"),
    (15, "m3/h", "volume flux"),
    (16, "m3/h", "corrected volume flux"),
    (17, "m3/d", "volume flux"),
    (18, "m3/d", "corrected volume flux"),
    (19, "l", "volume"),
    (20, "kg", "mass"),
    (21, "N", "force"),
    (22, "Nm", "energy"),
    (23, "Pa", "pressure"),
    (24, "bar", "pressure"),
    (25, "J", "energy"),
    (26, "J/h", "thermal power"),
    (27, "W", "active power"),
    (28, "VA", "apparent power"),
    (29, "var", "reactive power"),
    (30, "Wh", "active energy"),
    (31, "VAh", "apparent energy"),
    (32, "varh", "reactive energy"),
    (33, "A", "current"),
    (34, "C", "electrical charge"),
    (35, "V", "voltage"),
    (36, "V/m", "electric field strength"),
    (37, "F", "capacitance"),
    (38, "Ω", "resistance"),
    (39, "Ωm²/m", "resistivity"),
    (40, "Wb", "magnetic flux"),
    (41, "T", "magnetic flux density"),
    (42, "A/m", "magnetic field strength"),
    (43, "H", "inductance"),
    (44, "Hz", "frequency"),
    (45, "1/Wh", "pulses for active energy"),
    (46, "1/varh", "pulses for reactive energy"),
    (47, "1/VAh", "pulses for apparent energy"),
    (48, "V²h", "volt-squared hours"),
    (49, "A²h", "ampere-squared hours"),
    (50, "kg/s", "mass flux"),
    (51, "S", "conductance"),
    (52, "K", "temperature"),
    (53, "1/(V²h)", "pulses for volt-squared hours"),
    (54, "1/(A²h)", "pulses for ampere-squared hours"),
    (55, "1/m3", "pulses for volume"),
    (56, "%", "percentage"),
    (57, "Ah", "ampere hours"),
    (60, "Wh/m3", "energy per volume"),
    (61, "J/m3", "calorific value"),
    (62, "mol%", "molar fraction"),
    (63, "g/m3", "mass density"),
    (64, "Pa s", "dynamic viscosity"),
    (65, "J/kg", "specific energy"),
    (70, "dBm", "signal strength"),
    (71, "dBµV", "signal strength"),
    (72, "dB", "signal ratio"),
    (255, "", "a count, no unit"),
];

impl Unit {
    fn row(self) -> Option<&'static (u8, &'static str, &'static str)> {
        UNITS.iter().find(|row| row.0 == self.0)
    }

    /// The unit's symbol, empty for a count; `None` for a number the list does not have.
    pub fn symbol(self) -> Option<&'static str> {
        self.row().map(|row| row.1)
    }

    /// What it measures.
    pub fn quantity(self) -> Option<&'static str> {
        self.row().map(|row| row.2)
    }
}
