//! Prices held ready beside those in force, and put in force by command or at their time.

use super::super::journal::Event;
use super::super::money::Millipence;
use super::super::tariff::{BlockPrices, UnitPrices};
use super::super::time::MeterTime;
use super::{Connection, Passive};

impl Connection {
    /// The unit prices held ready.
    pub fn passive_unit_prices(&self) -> Option<&Passive<UnitPrices>> {
        self.passive_unit.as_ref()
    }

    /// The standing charge held ready.
    pub fn passive_standing_charge(&self) -> Option<&Passive<Millipence>> {
        self.passive_standing.as_ref()
    }

    /// Holds unit prices ready; dated for a time that is past, they are in force at the next minute.
    pub fn hold_unit_prices(&mut self, passive: Passive<UnitPrices>) {
        self.passive_unit = Some(passive);
    }

    /// Holds block prices ready, as [`Connection::hold_unit_prices`] does those of tariff registers.
    pub fn hold_block_prices(&mut self, passive: Passive<BlockPrices>) {
        self.passive_block = Some(passive);
    }

    /// The block prices held ready.
    pub fn passive_block_prices(&self) -> Option<&Passive<BlockPrices>> {
        self.passive_block.as_ref()
    }

    /// Puts the block prices held ready in force; whether there were any.
    pub fn activate_block_prices(&mut self) -> bool {
        let Some(passive) = self.passive_block.take() else { return false };
        self.prices.block = passive.value;
        true
    }

    /// Holds a standing charge ready, as [`Connection::hold_unit_prices`] does prices.
    pub fn hold_standing_charge(&mut self, passive: Passive<Millipence>) {
        self.passive_standing = Some(passive);
    }

    /// Puts the unit prices held ready in force; whether there were any.
    pub fn activate_unit_prices(&mut self) -> bool {
        let Some(passive) = self.passive_unit.take() else { return false };
        self.prices.unit = passive.value;
        true
    }

    /// Puts the standing charge held ready in force; whether there was one.
    pub fn activate_standing_charge(&mut self) -> bool {
        let Some(passive) = self.passive_standing.take() else { return false };
        self.prices.standing = passive.value;
        true
    }

    /// Puts every price held ready in force.
    pub(in super::super) fn activate_prices(&mut self) {
        self.activate_unit_prices();
        self.activate_block_prices();
        self.activate_standing_charge();
    }

    /// Puts in force the prices whose time has come.
    pub(super) fn activate_prices_due(&mut self, minute: MeterTime) {
        if self.passive_unit.as_ref().is_some_and(|passive| passive.is_due(minute)) {
            self.activate_unit_prices();
            self.core.log(Event::FutureDatedDone, "unit prices activated");
        }
        if self.passive_block.as_ref().is_some_and(|passive| passive.is_due(minute)) {
            self.activate_block_prices();
            self.core.log(Event::FutureDatedDone, "block prices activated");
        }
        if self.passive_standing.as_ref().is_some_and(|passive| passive.is_due(minute)) {
            self.activate_standing_charge();
            self.core.log(Event::FutureDatedDone, "standing charge activated");
        }
    }
}
