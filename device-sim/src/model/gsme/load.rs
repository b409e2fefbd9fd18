//! A test data set in a gas meter: what it shows, and the past that led there.

use lab_config::contents::{self, Channel, Gas, History, Load};

use super::super::curve::{Curve, Flow};
use super::super::loading::{self, LoadRefusal, Place, Span};
use super::super::profile::{PROFILE_ENTRIES, Profile};
use super::super::tariff::GAS_REGISTERS;
use super::super::time::MINUTE;
use super::conversion::{Conversion, watt_hours};
use super::logs::{Logs, Standing};
use super::{Gsme, LOCAL_WINDOW};

impl Gsme {
    /// Loads what a data set says; `has_status` where the profile has a column for the status of half hours. A meter that
    /// is refused something is to be thrown away: load a copy. It wakes to tell its mirror.
    ///
    /// # Errors
    /// What it has no room for, or what could not have come about.
    pub(crate) fn load(&mut self, load: &Load, contents: &Gas, has_status: bool) -> Result<(), LoadRefusal> {
        loading::core(&mut self.connection.core, load)?;
        if let Some(household) = contents.household {
            (self.curve, self.bench_flow) = (Curve::gas(household.seed), None);
        }
        self.bench_flow = contents.flow.or(self.bench_flow);
        self.load_tariff(contents)?;
        self.connection.load(&contents.customer)?;
        self.load_past(contents, has_status)?;
        let account = self.connection.account();
        self.logs.take_terms(account.mode(), self.connection.prices());
        self.look_at_valve_as_loaded();
        self.stay_awake(LOCAL_WINDOW);
        self.speak();
        Ok(())
    }

    fn load_tariff(&mut self, contents: &Gas) -> Result<(), LoadRefusal> {
        if let Some(tariff) = &contents.tariff {
            if tariff.block_ends.is_some() || !tariff.block_prices.is_empty() {
                return Err(LoadRefusal::Without("blocks"));
            }
            self.connection.load_prices(tariff)?;
        }
        if let Some(contents::Conversion { calorific_value, factor }) = contents.conversion {
            let with = Conversion::default().with_calorific_value(calorific_value);
            let with = with.and_then(|with| with.with_factor(factor));
            self.conversion = with.map_err(|_| LoadRefusal::Without("such conversion"))?;
        }
        Ok(())
    }

    fn load_past(&mut self, contents: &Gas, has_status: bool) -> Result<(), LoadRefusal> {
        if contents.volume.is_none() && contents.history.is_none() {
            return Ok(());
        }
        let present = contents.volume.map_or(self.volume, |volume| Flow::reading(volume.0));
        let half_hours = match &contents.history {
            Some(history) => half_hours(history, self, has_status)?,
            None => Vec::new(),
        };
        let sum = half_hours.iter().fold(Flow::default(), |sum, (_, flowed)| sum.with(*flowed));
        if sum > present {
            let register = "the volume register".to_owned();
            return Err(LoadRefusal::Past {
                register,
                sum: sum.units(),
                shown: present.units(),
                unit: "dm3",
            });
        }
        self.volume = present.less(sum);
        self.profile = Profile::starting_at(self.litres());
        let billing = self.logs.billing();
        self.logs = Logs::new(self.connection.account().mode(), self.connection.prices().clone());
        self.logs.set_billing(billing);
        for (place, flowed) in &half_hours {
            self.volume.join(*flowed);
            self.write_down(place, contents.history.as_ref());
        }
        self.tiers = [Flow::default(); GAS_REGISTERS];
        self.tiers[0] = self.volume;
        self.energy = self.conversion.energy_of(self.volume);
        self.day_told = self.logs.days().last().map(|day| day.at);
        Ok(())
    }

    fn write_down(&mut self, place: &Place, history: Option<&History>) {
        let litres = self.volume.units();
        match history {
            Some(history) if !history.lacks(place.ago) => {
                self.profile.capture(place.end, litres, history.status(place.ago));
            }
            _ => self.profile.skip(litres),
        }
        let account = self.connection.account();
        let standing = Standing {
            litres,
            watt_hours: watt_hours(self.conversion.energy_of(self.volume)),
            balance: account.balance(),
            mode: account.mode(),
            prices: self.connection.prices(),
        };
        self.logs.minute(place.end, standing);
    }

    /// A valve that was loaded shut or open moved long ago.
    fn look_at_valve_as_loaded(&mut self) {
        let open = self.connection.supply.is_on();
        self.watch.look(open, self.connection.core.now());
    }
}

/// What flowed in each half hour.
fn half_hours(history: &History, meter: &Gsme, has_status: bool) -> Result<Vec<(Place, Flow)>, LoadRefusal> {
    let clock = meter.connection.core.shown();
    let rule = history.rules.get(&Channel::Volume);
    let flowed = |place: &Place| match rule {
        Some(rule) => Flow::reading(rule.amount(place.row, place.of_day())),
        None => {
            let mut flowed = Flow::default();
            place.minutes().for_each(|minute| flowed.add(meter.curve.rate(minute), MINUTE.unsigned_abs()));
            flowed
        }
    };
    let places = Span::of(history, clock, PROFILE_ENTRIES, has_status)?.places();
    Ok(places.map(|place| (place, flowed(&place))).collect())
}
