//! From generated messages to [`Frame`]s and back.

use std::time::Duration;

use super::{
    Actuate, Answer, Ask, Asked, Carried, Channel, Character, Fault, FaultKind, Flow, Frame, Hello,
    LeaseAsked, LineSettings, MOST_OCTETS, MOST_OFFERED, MOST_WORDS, MadeSafe, ModemWires, Offered, Open,
    PartName, Says, StationFrame, Token, VERSION,
};
use crate::rpc::generated as wire;
use crate::rpc::generated::station_frame::Says as Wire;
use crate::station::{Deed, Keys, Mains};

/// Longest time a frame may speak of: a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Why a message is no [`Frame`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than any frame.
    #[error("a frame of {found} octets, expected at most {}", super::LONGEST_FRAME)]
    TooLong {
        /// Octets it would have.
        found: usize,
    },
    /// Not of this language at all.
    #[error("no frame of the station language: {0}")]
    NoFrame(String),
    /// The other side speaks another version.
    #[error("version {0} of the station language, expected {VERSION}: use the same release at both ends")]
    Version(u32),
    /// A field that is missing or has no such value.
    #[error("{field}: found {found}, expected {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
}

fn field(field: &'static str, found: impl std::fmt::Debug, expected: &'static str) -> FrameError {
    let found = format!("{found:?}").chars().take(80).collect();
    FrameError::Field { field, found, expected }
}

fn name(field_name: &'static str, text: &str) -> Result<PartName, FrameError> {
    text.parse().map_err(|_| field(field_name, text, "a name"))
}

fn words(text: String) -> String {
    match text.char_indices().nth(MOST_WORDS) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

fn time(field_name: &'static str, milliseconds: u32) -> Result<Duration, FrameError> {
    let time = Duration::from_millis(milliseconds.into());
    let expected = "a time up to a day, in milliseconds";
    if time <= LONGEST { Ok(time) } else { Err(field(field_name, milliseconds, expected)) }
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.min(LONGEST).as_millis()).unwrap_or(u32::MAX)
}

impl TryFrom<StationFrame> for Frame {
    type Error = FrameError;

    fn try_from(frame: StationFrame) -> Result<Self, FrameError> {
        let says = frame.says.ok_or_else(|| field("says", "nothing", "one of those this version knows"))?;
        Ok(Frame { channel: Channel(frame.channel), says: said(says)? })
    }
}

fn said(says: Wire) -> Result<Says, FrameError> {
    Ok(match says {
        Wire::Hello(hello) => Says::Hello(hello_of(hello)?),
        Wire::Welcome(welcome) if welcome.version == VERSION => Says::Welcome,
        Wire::Welcome(welcome) => return Err(FrameError::Version(welcome.version)),
        Wire::Heartbeat(wire::StationHeartbeat {}) => Says::Heartbeat,
        Wire::MadeSafe(made) => Says::MadeSafe(made_safe(made)?),
        Wire::Call(call) => Says::Call(name("call.station", &call.station)?),
        Wire::Open(open) => Says::Open(open_of(open)?),
        Wire::Opened(opened) => Says::Opened(opened.credit),
        Wire::Data(data) if data.octets.len() <= MOST_OCTETS => Says::Data(data.octets),
        Wire::Data(data) => return Err(field("data.octets", data.octets.len(), "at most 65,535 of them")),
        Wire::Credit(credit) => Says::Credit(credit.more),
        Wire::Ask(ask) => Says::Ask(ask_of(ask)?),
        Wire::Answer(answer) => Says::Answer(answer_of(answer)?),
        Wire::Remark(remark) => Says::Remark(words(remark.remark)),
        Wire::Close(close) => Says::Close(close.fault.map(fault).transpose()?),
        Wire::Actuate(act) => Says::Actuate(actuate(act)?),
        Wire::Actuated(done) => Says::Actuated(match done.fault {
            None => Ok(words(done.detail)),
            Some(wrong) => Err(fault(wrong)?),
        }),
        Wire::Lease(lease) => Says::Lease(LeaseAsked {
            rig: name("lease.rig", &lease.rig)?,
            token: token("lease.token", lease.token)?,
            holder: words(lease.holder),
            term: time("lease.term", lease.term)?,
        }),
        Wire::Leased(leased) => Says::Leased(match leased.fault {
            None => Ok(time("leased.term", leased.term)?),
            Some(wrong) => Err(fault(wrong)?),
        }),
        Wire::Release(wire::StationRelease {}) => Says::Release,
        Wire::Released(released) => {
            let made =
                released.made_safe.ok_or_else(|| field("released", "nothing", "what was made safe"))?;
            Says::Released(made_safe(made)?)
        }
    })
}

fn hello_of(hello: wire::StationHello) -> Result<Hello, FrameError> {
    if hello.version != VERSION {
        return Err(FrameError::Version(hello.version));
    }
    let offered = |all: Vec<wire::StationOffered>| {
        if all.len() > MOST_OFFERED {
            return Err(field("hello", all.len(), "at most 64 ports and 64 actuators"));
        }
        let one = |offered: wire::StationOffered| {
            Ok(Offered {
                name: name("offered.name", &offered.name)?,
                rig: name("offered.rig", &offered.rig)?,
                about: words(offered.about),
            })
        };
        all.into_iter().map(one).collect()
    };
    Ok(Hello {
        station: name("hello.station", &hello.station)?,
        about: words(hello.about),
        ports: offered(hello.ports)?,
        actuators: offered(hello.actuators)?,
        made_safe: hello.made_safe.into_iter().take(MOST_OFFERED).map(made_safe).collect::<Result<_, _>>()?,
    })
}

fn made_safe(made: wire::StationMadeSafe) -> Result<MadeSafe, FrameError> {
    Ok(MadeSafe {
        rig: name("made_safe.rig", &made.rig)?,
        token: token("made_safe.token", made.token)?,
        cause: words(made.cause),
        detail: words(made.detail),
        reached: made.reached,
        at: made.at.parse().map_err(|_| field("made_safe.at", &made.at, "a time, RFC 3339"))?,
    })
}

fn token(field_name: &'static str, token: u64) -> Result<Token, FrameError> {
    if token == 0 { Err(field(field_name, token, "the number of a lease, from 1")) } else { Ok(Token(token)) }
}

fn open_of(open: wire::StationOpen) -> Result<Open, FrameError> {
    let carries = match open.carries() {
        wire::StationCarries::Serial => {
            let line = open.line.ok_or_else(|| field("open.line", "nothing", "how the line begins"))?;
            Carried::Serial(line_of(line)?)
        }
        wire::StationCarries::Stream => Carried::Stream,
        wire::StationCarries::Datagrams => Carried::Datagrams,
        wire::StationCarries::Unspecified => {
            return Err(field("open.carries", open.carries, "serial, stream or datagrams"));
        }
    };
    Ok(Open {
        port: name("open.port", &open.port)?,
        carries,
        token: Some(Token(open.token)).filter(|token| token.0 != 0),
        within: time("open.within", open.within)?,
        credit: open.credit,
    })
}

fn line_of(line: wire::StationLine) -> Result<LineSettings, FrameError> {
    use wire::StationCharacter as Wire;
    let character = match line.character() {
        Wire::EightNone => Character::EightNone,
        Wire::EightEven => Character::EightEven,
        Wire::EightOdd => Character::EightOdd,
        Wire::SevenEven => Character::SevenEven,
        Wire::SevenOdd => Character::SevenOdd,
        Wire::SevenEvenInEight => Character::SevenEvenInEight,
        Wire::Unspecified => return Err(field("line.character", line.character, "data bits and parity")),
    };
    let flow = match line.flow() {
        wire::StationFlow::None => Flow::None,
        wire::StationFlow::RtsCts => Flow::RtsCts,
        wire::StationFlow::XonXoff => Flow::XonXoff,
    };
    if line.baud == 0 {
        return Err(field("line.baud", line.baud, "a speed"));
    }
    Ok(LineSettings { baud: line.baud, character, flow })
}

fn ask_of(ask: wire::StationAsk) -> Result<Ask, FrameError> {
    use wire::station_ask::Ask as Wire;
    let what = match ask.ask.ok_or_else(|| field("ask", "nothing", "what is asked"))? {
        Wire::SetLine(line) => Asked::SetLine(line_of(line)?),
        Wire::Purge(wire::StationPurge {}) => Asked::Purge,
        Wire::BreakFor(length) => Asked::Break(time("ask.break_for", length)?),
        Wire::SetWires(wires) => Asked::SetWires { dtr: wires.dtr, rts: wires.rts },
        Wire::Modem(wire::StationModemAsk {}) => Asked::Modem,
    };
    Ok(Ask { within: time("ask.within", ask.within)?, what })
}

fn answer_of(answer: wire::StationAnswer) -> Result<Result<Answer, Fault>, FrameError> {
    use wire::station_answer::Answer as Wire;
    Ok(match answer.answer.ok_or_else(|| field("answer", "nothing", "what came of it"))? {
        Wire::Done(wire::StationDone {}) => Ok(Answer::Done),
        Wire::Modem(wire::StationModem { cts, dsr, ri, cd }) => {
            Ok(Answer::Modem(ModemWires { cts, dsr, ri, cd }))
        }
        Wire::Failed(wrong) => Err(fault(wrong)?),
    })
}

fn fault(wrong: wire::StationFault) -> Result<Fault, FrameError> {
    use wire::StationFaultKind as Wire;
    let kind = match wrong.kind() {
        Wire::CannotOpen => FaultKind::CannotOpen,
        Wire::Busy => FaultKind::Busy,
        Wire::NoAnswer => FaultKind::NoAnswer,
        Wire::Gone => FaultKind::Gone,
        Wire::Setting => FaultKind::Setting,
        Wire::Lease => FaultKind::Lease,
        Wire::Unspecified => return Err(field("fault.kind", wrong.kind, "why something was not done")),
    };
    Ok(Fault { kind, reason: words(wrong.reason) })
}

fn actuate(act: wire::StationActuate) -> Result<Actuate, FrameError> {
    use wire::station_actuate::Deed as Wire;
    let deed = match act.deed.ok_or_else(|| field("actuate.deed", "nothing", "what to do"))? {
        Wire::Mains(on) => Deed::Mains(if on { Mains::On } else { Mains::Off }),
        Wire::Press(keys) => {
            let keys = Keys::try_from(keys.names.clone());
            Deed::Press(keys.map_err(|_| field("actuate.press", "other names", "one to eight keys"))?)
        }
    };
    Ok(Actuate {
        actuator: name("actuate.actuator", &act.actuator)?,
        token: token("actuate.token", act.token)?,
        within: time("actuate.within", act.within)?,
        deed,
    })
}

impl From<Frame> for StationFrame {
    fn from(Frame { channel, says }: Frame) -> Self {
        Self { channel: channel.0, says: Some(says.into()) }
    }
}

impl From<Says> for Wire {
    fn from(says: Says) -> Self {
        match says {
            Says::Hello(hello) => Wire::Hello(hello.into()),
            Says::Welcome => Wire::Welcome(wire::StationWelcome { version: VERSION }),
            Says::Heartbeat => Wire::Heartbeat(wire::StationHeartbeat {}),
            Says::MadeSafe(made) => Wire::MadeSafe(made.into()),
            Says::Call(station) => Wire::Call(wire::StationCall { station: station.0 }),
            Says::Open(open) => Wire::Open(open.into()),
            Says::Opened(credit) => Wire::Opened(wire::StationOpened { credit }),
            Says::Data(octets) => Wire::Data(wire::StationData { octets }),
            Says::Credit(more) => Wire::Credit(wire::StationCredit { more }),
            Says::Ask(ask) => Wire::Ask(ask.into()),
            Says::Answer(answer) => Wire::Answer(answer_to(answer)),
            Says::Remark(remark) => Wire::Remark(wire::StationRemark { remark: words(remark) }),
            Says::Close(fault) => Wire::Close(wire::StationClose { fault: fault.map(Into::into) }),
            Says::Actuate(act) => Wire::Actuate(act.into()),
            Says::Actuated(done) => {
                let (detail, fault) = parted(done);
                Wire::Actuated(wire::StationActuated { detail: words(detail.unwrap_or_default()), fault })
            }
            Says::Lease(LeaseAsked { rig, token, holder, term }) => Wire::Lease(wire::StationLease {
                rig: rig.0,
                token: token.0,
                holder: words(holder),
                term: milliseconds(term),
            }),
            Says::Leased(leased) => {
                let (term, fault) = parted(leased);
                Wire::Leased(wire::StationLeased { term: milliseconds(term.unwrap_or_default()), fault })
            }
            Says::Release => Wire::Release(wire::StationRelease {}),
            Says::Released(made) => Wire::Released(wire::StationReleased { made_safe: Some(made.into()) }),
        }
    }
}

fn parted<T>(result: Result<T, Fault>) -> (Option<T>, Option<wire::StationFault>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(fault) => (None, Some(fault.into())),
    }
}

fn answer_to(answer: Result<Answer, Fault>) -> wire::StationAnswer {
    use wire::station_answer::Answer as Wire;
    let answer = match answer {
        Ok(Answer::Done) => Wire::Done(wire::StationDone {}),
        Ok(Answer::Modem(ModemWires { cts, dsr, ri, cd })) => {
            Wire::Modem(wire::StationModem { cts, dsr, ri, cd })
        }
        Err(fault) => Wire::Failed(fault.into()),
    };
    wire::StationAnswer { answer: Some(answer) }
}

impl From<Hello> for wire::StationHello {
    fn from(hello: Hello) -> Self {
        let offered = |all: Vec<Offered>| {
            let one = |offered: Offered| wire::StationOffered {
                name: offered.name.0,
                rig: offered.rig.0,
                about: words(offered.about),
            };
            all.into_iter().map(one).collect()
        };
        Self {
            version: VERSION,
            station: hello.station.0,
            about: words(hello.about),
            ports: offered(hello.ports),
            actuators: offered(hello.actuators),
            made_safe: hello.made_safe.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<MadeSafe> for wire::StationMadeSafe {
    fn from(made: MadeSafe) -> Self {
        let MadeSafe { rig, token, cause, detail, reached, at } = made;
        let (cause, detail, at) = (words(cause), words(detail), at.to_string());
        Self { rig: rig.0, token: token.0, cause, detail, reached, at }
    }
}

impl From<Open> for wire::StationOpen {
    fn from(open: Open) -> Self {
        let (carries, line) = match open.carries {
            Carried::Serial(line) => (wire::StationCarries::Serial, Some(line.into())),
            Carried::Stream => (wire::StationCarries::Stream, None),
            Carried::Datagrams => (wire::StationCarries::Datagrams, None),
        };
        Self {
            port: open.port.0,
            carries: carries.into(),
            token: open.token.map_or(0, |token| token.0),
            line,
            within: milliseconds(open.within),
            credit: open.credit,
        }
    }
}

impl From<LineSettings> for wire::StationLine {
    fn from(line: LineSettings) -> Self {
        use wire::StationCharacter as Wire;
        let character = match line.character {
            Character::EightNone => Wire::EightNone,
            Character::EightEven => Wire::EightEven,
            Character::EightOdd => Wire::EightOdd,
            Character::SevenEven => Wire::SevenEven,
            Character::SevenOdd => Wire::SevenOdd,
            Character::SevenEvenInEight => Wire::SevenEvenInEight,
        };
        let flow = match line.flow {
            Flow::None => wire::StationFlow::None,
            Flow::RtsCts => wire::StationFlow::RtsCts,
            Flow::XonXoff => wire::StationFlow::XonXoff,
        };
        Self { baud: line.baud, character: character.into(), flow: flow.into() }
    }
}

impl From<Ask> for wire::StationAsk {
    fn from(ask: Ask) -> Self {
        use wire::station_ask::Ask as Wire;
        let what = match ask.what {
            Asked::SetLine(line) => Wire::SetLine(line.into()),
            Asked::Purge => Wire::Purge(wire::StationPurge {}),
            Asked::Break(length) => Wire::BreakFor(milliseconds(length)),
            Asked::SetWires { dtr, rts } => Wire::SetWires(wire::StationWires { dtr, rts }),
            Asked::Modem => Wire::Modem(wire::StationModemAsk {}),
        };
        Self { within: milliseconds(ask.within), ask: Some(what) }
    }
}

impl From<Fault> for wire::StationFault {
    fn from(fault: Fault) -> Self {
        use wire::StationFaultKind as Wire;
        let kind = match fault.kind {
            FaultKind::CannotOpen => Wire::CannotOpen,
            FaultKind::Busy => Wire::Busy,
            FaultKind::NoAnswer => Wire::NoAnswer,
            FaultKind::Gone => Wire::Gone,
            FaultKind::Setting => Wire::Setting,
            FaultKind::Lease => Wire::Lease,
        };
        Self { kind: kind.into(), reason: words(fault.reason) }
    }
}

impl From<Actuate> for wire::StationActuate {
    fn from(act: Actuate) -> Self {
        use wire::station_actuate::Deed as Wire;
        let deed = match act.deed {
            Deed::Mains(mains) => Wire::Mains(mains == Mains::On),
            Deed::Press(keys) => Wire::Press(wire::StationKeys { names: keys.names().to_vec() }),
        };
        Self {
            actuator: act.actuator.0,
            token: act.token.0,
            within: milliseconds(act.within),
            deed: Some(deed),
        }
    }
}
