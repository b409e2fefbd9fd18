//! Time at any speed: the same life in one step, in half hours, in minutes and in odd steps.

use lab_config::Lab;

use super::*;
use crate::model::supply::Key;
use crate::model::tests::NOW;
use crate::model::time::DAY;

/// What is done to the installation at a moment, in milliseconds from the beginning.
type Deed = (i64, fn(&mut Home));

fn esme(home: &mut Home) -> &mut Esme {
    &mut home.esme.as_mut().unwrap().device
}

fn gsme(home: &mut Home) -> &mut Gsme {
    &mut home.gsme.as_mut().unwrap().device
}

/// A month in which things happen.
const DEEDS: &[Deed] = &[
    (DAY + 1, |home| esme(home).set_load(Some(9_000))),
    (2 * DAY + 77, |home| esme(home).set_load(None)),
    (3 * DAY + 12_345, |home| gsme(home).connection.disable()),
    (3 * DAY + 12_346, |home| gsme(home).set_leak(20)),
    (4 * DAY, |home| {
        let _ = gsme(home).connection.arm();
        gsme(home).set_leak(0);
    }),
    (4 * DAY + 9_000, |home| {
        gsme(home).press(Key::A);
        gsme(home).press(Key::B);
    }),
    (9 * DAY + 5, |home| gsme(home).wake_by_local_port()),
    (12 * DAY + 500, |home| gsme(home).drain(9_900_000)),
    (13 * DAY, |home| gsme(home).set_flat(false)),
    (20 * DAY + 31_337, |home| home.esme.as_mut().unwrap().device.core_mut().drift(300)),
    (25 * DAY, |home| home.display.as_mut().unwrap().device.set_signal(false)),
];

/// Lives through the deeds in steps of so many milliseconds; what it then is, and what it sent meanwhile.
fn live(home: &mut Home, days: i64, step: impl Fn(i64) -> i64) -> (u64, Vec<Message>) {
    let wan = WanId(1);
    home.wan_opened(wan);
    let mut sent = Vec::new();
    let ends = DEEDS.iter().map(|(at, _)| *at).chain([days * DAY]);
    let mut deeds = DEEDS.iter();
    for end in ends.take_while(|end| *end <= days * DAY) {
        let end = NOW.plus(end);
        let mut count = 0;
        while home.now() < end {
            count += 1;
            home.advance(home.now().plus(step(count)).min(end));
            sent.extend(std::iter::from_fn(|| home.take_for_wan(wan)));
        }
        if let Some((_, deed)) = deeds.next() {
            deed(home);
            home.carry();
            sent.extend(std::iter::from_fn(|| home.take_for_wan(wan)));
        }
    }
    (home.digest(), sent)
}

fn installed() -> Home {
    Home::build(&Lab::embedded().unwrap().rigs[0], NOW, 1).unwrap()
}

#[test]
fn a_month_of_a_whole_installation_is_the_same_at_any_speed() {
    // Generated keys differ from one reading of the lab to the next, so one reading serves all.
    let lab = Lab::embedded().unwrap();
    let built = || Home::build(&lab.rigs[0], NOW, 1).unwrap();
    let whole = live(&mut built(), 31, |_| 31 * DAY);
    assert!(whole.1.len() >= 3, "alerts are sent on the way: {}", whole.1.len());
    let half_hours = live(&mut built(), 31, |_| 30 * MINUTE);
    let odd = live(&mut built(), 31, |count| 61_001 + count % 7 * 313_131);
    assert!(whole == half_hours, "{:x} in one step, {:x} in half hours", whole.0, half_hours.0);
    assert!(whole == odd, "{:x} in one step, {:x} in odd steps", whole.0, odd.0);
}

#[test]
fn a_day_is_the_same_by_the_second() {
    let lab = Lab::embedded().unwrap();
    let built = || Home::build(&lab.rigs[0], NOW, 1).unwrap();
    let whole = live(&mut built(), 2, |_| 2 * DAY);
    let seconds = live(&mut built(), 2, |_| 1_000);
    assert!(whole == seconds, "{:x} in one step, {:x} by the second", whole.0, seconds.0);
}

#[test]
fn another_life_has_another_digest() {
    let (mut one, mut other) = (installed(), installed());
    one.advance(NOW.plus(DAY));
    other.advance(NOW.plus(DAY + 1));
    assert_ne!(one.digest(), other.digest());
}
