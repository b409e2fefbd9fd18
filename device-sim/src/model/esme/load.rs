//! A test data set in an electricity meter: what it shows, and the past that led there.
//!
//! The past is lived through twice: once from nought, which gives what the registers showed before it, and once from there,
//! writing down what the meter writes down. A half hour counts in the tariff register it begins in.

use lab_config::contents::{
    Channel as Of, Electricity, History, Household, Load, Registers as Shown, WattHours,
};

use super::super::blocks::{BlockEnds, Blocks};
use super::super::connection::fits;
use super::super::curve::{Curve, Flow, Power};
use super::super::demand::Peak;
use super::super::demand_window::DemandWindow;
use super::super::energy::{HalfHour, Registers};
use super::super::loading::{self, LoadRefusal, Place, Span};
use super::super::profile::PROFILE_ENTRIES;
use super::super::tariff::{BLOCK_SETS, BLOCKS, REGISTERS, Selection};
use super::super::time::{DAY, MINUTE};
use super::{BillingRead, DailyRead, Esme, Logs};

impl Esme {
    /// Loads what a data set says; `has_status` where the profile has a column for the status of half hours. A meter that
    /// is refused something is to be thrown away: load a copy.
    ///
    /// # Errors
    /// What it has no room for, or what could not have come about.
    pub(crate) fn load(
        &mut self,
        load: &Load,
        contents: &Electricity,
        has_status: bool,
    ) -> Result<(), LoadRefusal> {
        loading::core(&mut self.connection.core, load)?;
        self.load_household(contents);
        self.load_tariff(contents)?;
        self.connection.load(&contents.customer)?;
        match (&contents.registers, &contents.history) {
            (shown, Some(history)) => self.load_past(shown.as_ref(), history, has_status),
            (Some(shown), None) => self.load_registers(shown),
            (None, None) => Ok(()),
        }?;
        self.begin_terms();
        Ok(())
    }

    fn load_household(&mut self, contents: &Electricity) {
        if let Some(Household { seed, solar }) = contents.household {
            self.curve = Curve::electricity(seed).with_panels(solar);
            (self.bench.load, self.bench.generation) = (None, None);
        }
        self.bench.load = contents.load.or(self.bench.load);
        self.bench.generation = contents.generation.or(self.bench.generation);
    }

    fn load_tariff(&mut self, contents: &Electricity) -> Result<(), LoadRefusal> {
        if let Some(tariff) = &contents.tariff {
            self.connection.load_prices(tariff)?;
        }
        if let Some(calendar) = &contents.calendar {
            let most = calendar.days.iter().flat_map(|day| &day.switches).map(|switch| switch.tariff).max();
            fits("tariff registers in the calendar", most.unwrap_or(0).into(), self.connection.registers())?;
            self.tariff = loading::timetable(calendar, self.connection.core.shown())?;
        }
        match contents.tariff.as_ref().and_then(|tariff| tariff.block_ends.as_ref()) {
            Some(ends) => self.load_blocks(ends),
            None => Ok(()),
        }
    }

    /// A tariff with ends of blocks is by block wherever the calendar has a register with a set of blocks; one without
    /// ends nowhere.
    fn load_blocks(&mut self, ends: &[WattHours]) -> Result<(), LoadRefusal> {
        let by_block = !ends.is_empty();
        let ends = BlockEnds::new(ends.iter().map(|end| end.0).collect())?;
        self.blocks = Blocks::new(BLOCK_SETS);
        (0..BLOCK_SETS).for_each(|set| {
            self.blocks.set_ends(set, ends.clone());
        });
        let selection = |selected: u8| {
            let register = Selection::of(selected.into(), REGISTERS).register();
            let selected = if by_block && register < BLOCK_SETS { REGISTERS + register } else { register };
            u8::try_from(selected).unwrap_or_default()
        };
        let now = self.connection.core.shown();
        self.tariff = self.tariff.clone().selecting(selection, now);
        Ok(())
    }

    /// Registers of a meter whose past nobody tells: it has none.
    fn load_registers(&mut self, shown: &Shown) -> Result<(), LoadRefusal> {
        self.registers = self.showing(shown)?;
        self.blocks.begin_period();
        self.begin_demand();
        self.logs = Logs::emptied(&self.registers);
        Ok(())
    }

    fn showing(&self, shown: &Shown) -> Result<Registers, LoadRefusal> {
        fits("tariff registers", shown.tariffs.len(), self.connection.registers())?;
        fits("block registers", shown.blocks.len(), BLOCKS)?;
        Ok(Registers::showing(shown))
    }

    fn begin_demand(&mut self) {
        let now = self.connection.core.shown();
        for demand in [&mut self.import_demand, &mut self.export_demand] {
            demand.begin(now);
            demand.remember(None, None);
        }
        self.demand_window.reset();
    }

    fn load_past(
        &mut self,
        shown: Option<&Shown>,
        history: &History,
        has_status: bool,
    ) -> Result<(), LoadRefusal> {
        let clock = self.connection.core.shown();
        let places: Vec<Place> = Span::of(history, clock, PROFILE_ENTRIES, has_status)?.places().collect();
        let flowed: Vec<HalfHour> =
            places.iter().map(|place| half_hour(history, place, self.curve)).collect();
        let mut past = Past::from(Registers::reading(0, 0), self);
        places.iter().zip(&flowed).for_each(|(place, flowed)| past.live(place, flowed, self));
        let present = match shown {
            Some(shown) => {
                let mut present = self.showing(shown)?;
                present.rest_in_the_first(&past.registers, shown.tariffs.is_empty(), shown.blocks.is_empty());
                present
            }
            None => self.registers.clone(),
        };
        let mut life = Past::from(present.before(&past.registers)?, self);
        for (place, flowed) in places.iter().zip(&flowed) {
            life.live(place, flowed, self);
            life.write_down(place, history, self);
        }
        self.take(life);
        Ok(())
    }

    fn take(&mut self, life: Past) {
        self.begin_demand();
        let [import, export] = life.peaks;
        self.import_demand.remember(import.running, import.previous);
        self.export_demand.remember(export.running, export.previous);
        self.demand_window = life.window;
        (self.registers, self.logs, self.blocks) = (life.registers, life.logs, life.blocks);
    }
}

/// The largest demand of the billing period that runs, and of the one before.
#[derive(Debug, Clone, Copy, Default)]
struct Peaks {
    running: Option<Peak>,
    previous: Option<Peak>,
}

impl Peaks {
    fn see(&mut self, watts: u32, place: &Place) {
        if self.running.is_none_or(|peak| peak.watts < watts) {
            self.running = Some(Peak { watts, at: place.end });
        }
    }
}

/// A past as it is lived.
struct Past {
    registers: Registers,
    blocks: Blocks,
    tariff: super::Timetable,
    logs: Logs,
    peaks: [Peaks; 2],
    window: DemandWindow,
}

impl Past {
    fn from(registers: Registers, meter: &Esme) -> Self {
        let mut blocks = meter.blocks.clone();
        blocks.begin_period();
        let logs = Logs::emptied(&registers);
        let mut window = meter.demand_window;
        window.reset();
        let (tariff, peaks) = (meter.tariff.clone(), [Peaks::default(); 2]);
        Self { registers, blocks, tariff, logs, peaks, window }
    }

    /// Counts a half hour. A billing period that ends with it begins the blocks anew after it.
    fn live(&mut self, place: &Place, flowed: &HalfHour, meter: &Esme) {
        self.tariff.follow(place.begin);
        let selection = Selection::of(self.tariff.selected(), REGISTERS);
        self.registers.count_half_hour(flowed, selection.register());
        if let Selection::Blocks(set) = selection {
            let registers = &mut self.registers;
            let count = |block, part| registers.count_block(set * BLOCKS + block, part);
            self.blocks.split(set, flowed.import, count);
        }
        let millis = place.end.millis() - place.begin.millis();
        let watts = flowed.import.average(millis);
        self.peaks[0].see(watts, place);
        self.window.see(Peak { watts, at: place.end }, millis);
        self.peaks[1].see(flowed.export.average(millis), place);
        let period_ends = meter.billing.ends_in(place.begin, place.end);
        if period_ends || (meter.blocks.are_daily() && place.end.is_at(DAY)) {
            self.blocks.begin_period();
        }
        if period_ends {
            self.window.reset();
        }
    }

    /// Writes down what the meter does at the end of a half hour.
    fn write_down(&mut self, place: &Place, history: &History, meter: &Esme) {
        match history.lacks(place.ago) {
            true => self.logs.skip(&self.registers),
            false => self.logs.capture(place.end, &self.registers, history.status(place.ago)),
        }
        if place.end.is_at(DAY) {
            self.logs.read_day(place.end, &self.registers);
        }
        if meter.billing.ends_in(place.begin, place.end) {
            let [import, export] = &mut self.peaks;
            let [import_peak, export_peak] = [import, export].map(|peaks| {
                peaks.previous = peaks.running.take();
                peaks.previous
            });
            let balance = meter.connection.account().balance();
            let read = DailyRead::of(place.end, &self.registers);
            self.logs.bill(BillingRead { read, import_peak, export_peak, balance });
        }
    }
}

/// What flowed in a half hour: by the history's rules, and where it has none as the household lived.
fn half_hour(history: &History, place: &Place, curve: Curve) -> HalfHour {
    let ruled = |channel| {
        let amount = history.rules.get(&channel)?.amount(place.row, place.of_day());
        Some(Flow::reading(amount))
    };
    let import = ruled(Of::Import);
    let mut flowed = HalfHour::default();
    if import.is_none() {
        let minute = MINUTE.unsigned_abs();
        let power = |number| Power::of(curve.rate(number), curve.generation(number));
        place.minutes().for_each(|number| flowed.add(power(number), minute));
    }
    HalfHour {
        import: import.unwrap_or(flowed.import),
        export: ruled(Of::Export).unwrap_or(flowed.export),
        reactive_import: ruled(Of::ReactiveImport).unwrap_or(flowed.reactive_import),
        reactive_export: ruled(Of::ReactiveExport).unwrap_or(flowed.reactive_export),
    }
}
