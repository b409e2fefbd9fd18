//! What a person in the house does: at the display, and with the gas meter.

use proto_duis::DeviceKind;
use proto_zigbee::UtcTime;

use super::hand::{Hand, HandError, connection};
use crate::home::Home;
use crate::model::gsme::Gsme;
use crate::model::ppmid::{Account, Fuel, Ppmid};

impl Hand {
    /// Types a token at the display, to be sent to the meter of a fuel.
    ///
    /// # Errors
    /// Not a display, or the display's refusal.
    pub fn top_up_at_display(&self, fuel: Fuel, digits: &str) -> Result<(), HandError> {
        Ok(self.display(|display| display.top_up(fuel, digits))??)
    }

    /// Closes an armed supply at the display.
    ///
    /// # Errors
    /// Not a display, or the display's refusal.
    pub fn enable_at_display(&self, fuel: Fuel) -> Result<(), HandError> {
        Ok(self.display(|display| display.enable_supply(fuel))??)
    }

    /// Confirms the newest message the display asks to have confirmed.
    ///
    /// # Errors
    /// Not a display, or the display's refusal.
    pub fn confirm_message(&self) -> Result<(), HandError> {
        let seconds = self.site.clock.now().millis().div_euclid(1000);
        let now = UtcTime::from_unix(seconds).unwrap_or(UtcTime::NOW);
        Ok(self.display(|display| display.confirm(now))??)
    }

    /// Carries the display out of the hub's reach, or back.
    ///
    /// # Errors
    /// Not a display.
    pub fn set_display_signal(&self, signal: bool) -> Result<(), HandError> {
        self.display(|display| display.set_signal(signal))
    }

    /// Has the device join the hub's network.
    ///
    /// # Errors
    /// No hub beside it, or the hub's refusal.
    pub fn join(&self) -> Result<(), HandError> {
        let joined = self.site.with(|home| home.join(self.kind));
        Ok(joined.ok_or_else(|| self.without("hub"))??)
    }

    /// Takes the device off the hub's network.
    ///
    /// # Errors
    /// It is not on it.
    pub fn leave(&self) -> Result<(), HandError> {
        let left = self.site.with(|home| home.leave(self.kind));
        if left { Ok(()) } else { Err(self.without("place on the hub's network")) }
    }

    /// The customer sets a privacy PIN at the meter.
    ///
    /// # Errors
    /// Not a meter.
    pub fn set_privacy_pin(&self) -> Result<(), HandError> {
        let set =
            |home: &mut Home| connection(home, self.kind).map(|connection| connection.customer.set_pin());
        self.site.with(set).ok_or_else(|| self.without("privacy PIN"))
    }

    /// What the display shows of a fuel.
    ///
    /// # Errors
    /// Not a display.
    pub fn shown_at_display(&self, fuel: Fuel) -> Result<Account, HandError> {
        self.display(|display| display.account(fuel).clone())
    }

    /// Makes so much gas get through the closed valve, in litres an hour.
    ///
    /// # Errors
    /// Not a gas meter.
    pub fn leak(&self, litres: u32) -> Result<(), HandError> {
        self.gas_meter(|meter| meter.set_leak(litres))
    }

    /// Draws so many microampere hours from the battery, as days and years would.
    ///
    /// # Errors
    /// Not a gas meter.
    pub fn drain_battery(&self, microampere_hours: u64) -> Result<(), HandError> {
        self.gas_meter(|meter| meter.drain(microampere_hours))
    }

    fn display<T>(&self, deed: impl FnOnce(&mut Ppmid) -> T) -> Result<T, HandError> {
        let is_display = matches!(self.kind, DeviceKind::Ppmid | DeviceKind::Ihd);
        let find = |home: &mut Home| {
            home.display.as_mut().filter(|_| is_display).map(|display| deed(&mut display.device))
        };
        self.site.with(find).ok_or_else(|| self.without("display"))
    }

    fn gas_meter<T>(&self, deed: impl FnOnce(&mut Gsme) -> T) -> Result<T, HandError> {
        let is_gas = self.kind == DeviceKind::Gsme;
        let find = |home: &mut Home| home.gsme.as_mut().filter(|_| is_gas).map(|gsme| deed(&mut gsme.device));
        self.site.with(find).ok_or_else(|| self.without("gas meter"))
    }
}
