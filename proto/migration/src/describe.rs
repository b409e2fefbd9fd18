//! A file in words, line by line, without secrets.

use crate::{Body, CommonInstallation, File, Holder, InstallationResult, Ruling, Sealed};

/// What a file says: who wrote it, for whom, after what, and each thing in it on a line of its own. Of what is sealed only
/// for whom and how long it is.
///
/// ```
/// use proto_migration::{Address, Body, File, PartyRole, describe};
/// let control = Address { role: PartyRole::MigrationControl, id: "90-B3-D5-1F-30-02-00-00".parse()? };
/// let requesting = Address { role: PartyRole::RequestingParty, id: "90-B3-D5-1F-30-03-00-00".parse()? };
/// let body = Body::Demand { installations: vec![("00-DB-12-34-56-78-90-A0".parse()?, vec!["MA_1".parse()?])] };
/// let written = "2026-11-22T10:30:00Z".parse()?;
/// let file = File::new(control, vec![requesting], "G1".parse()?, 7, None, written, body);
/// assert_eq!(describe(&file), [
///     "demand DC-G1_90B3D51F30020000_7, number 7 of group G1",
///     "from migration-control 90-B3-D5-1F-30-02-00-00, written 2026-11-22T10:30:00Z",
///     "to requesting-party 90-B3-D5-1F-30-03-00-00",
///     "follows no file",
///     "00-DB-12-34-56-78-90-A0 under MA_1",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn describe(file: &File) -> Vec<String> {
    let (header, body) = (&file.header, &file.body);
    let follows = header.follows.map_or("no file".to_owned(), |digest| digest.to_string());
    let mut lines = vec![
        format!("{} {}, number {} of group {}", body.kind(), header.name, header.number, header.group),
        format!("from {}, written {}", header.from, header.written),
        format!("to {}", joined(&header.to)),
        format!("follows {follows}"),
    ];
    lines.extend(said(body));
    lines
}

fn joined<T: ToString>(all: &[T]) -> String {
    all.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn said(body: &Body) -> Vec<String> {
    match body {
        Body::Authorisation { authorisation, installation, kind, from, until } => {
            vec![format!("{authorisation} for {installation}, {kind}, from {from} until {until}")]
        }
        Body::Demand { installations } => {
            installations.iter().map(|(id, under)| format!("{id} under {}", joined(under))).collect()
        }
        Body::Response { installations } | Body::Rollback { installations } => {
            installations.iter().map(result).collect()
        }
        Body::Estate { installations } => {
            let of = |estate: &crate::Estate| [installation(&estate.common), sealed(&estate.sealed)].concat();
            installations.iter().flat_map(of).collect()
        }
        Body::Common { smso, installations } => {
            let of_smso = std::iter::once(format!("SMSO {smso}"));
            of_smso.chain(installations.iter().flat_map(installation)).collect()
        }
        Body::Group { common, sealed: secrets } => {
            std::iter::once(format!("with common file {common}")).chain(sealed(secrets)).collect()
        }
        Body::Results { step, installations } => {
            std::iter::once(format!("results of {step}")).chain(installations.iter().map(result)).collect()
        }
        Body::RequiredFileSet { files, installations } => {
            let files = files.iter().map(|(name, digest)| format!("made from {name}, {digest}"));
            files
                .chain(installations.iter().map(|(id, devices)| format!("{id} with {}", joined(devices))))
                .collect()
        }
        Body::Commissioning { installations } => installations.iter().flat_map(commissioned).collect(),
        Body::KeyWrapRequest { sealed: secrets } => sealed(secrets),
        Body::WrappedKeys { installations, sealed: secrets } => {
            installations.iter().map(result).chain(sealed(secrets)).collect()
        }
        Body::Outcome { installations } => {
            installations.iter().map(|(found, class)| format!("{class}: {}", result(found))).collect()
        }
    }
}

fn result(found: &InstallationResult) -> String {
    let id = found.installation;
    match &found.ruling {
        Ruling::Accepted { said, without } => {
            let without =
                if without.is_empty() { String::new() } else { format!(", without {}", joined(without)) };
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            format!("{id} accepted{without}{said}")
        }
        Ruling::Refused { code, reason } => format!("{id} refused, {code}: {reason}"),
    }
}

fn device(device: &crate::Device) -> String {
    let crate::Device { kind, id, manufacturer, model, hardware, firmware, configuration } = device;
    format!(
        "  {kind} {id}: {manufacturer} {model}, hardware {hardware}, firmware {firmware}, configuration {configuration}"
    )
}

fn installation(common: &CommonInstallation) -> Vec<String> {
    let (id, kind) = (common.installation, common.kind);
    let mut lines = vec![match common.authorisations.as_slice() {
        [] => format!("{id}, {kind}"),
        under => format!("{id}, {kind}, under {}", joined(under)),
    }];
    lines.extend(common.devices.iter().map(device));
    lines.extend(common.meter_points.iter().map(|point| {
        let active = if point.active { "active" } else { "not active" };
        format!("  {} at {}, supplier {}, {active}", point.number, point.device, point.supplier)
    }));
    lines
}

fn sealed(all: &[Sealed]) -> Vec<String> {
    let line = |sealed: &Sealed| {
        let Sealed { installation, recipient, ciphertext, .. } = sealed;
        format!("  secrets of {installation} sealed to {recipient}, {} octets", ciphertext.len())
    };
    all.iter().map(line).collect()
}

fn commissioned(joining: &crate::Commissioned) -> Vec<String> {
    let holders = joining.holders.iter().map(|(device, holder)| match holder {
        Holder::Dcc => format!("  {device} held by the DCC"),
        Holder::Supplier(supplier) => format!("  {device} held by supplier {supplier}"),
    });
    let devices = joining.devices.iter().map(device);
    std::iter::once(format!("{} joins", joining.installation)).chain(devices).chain(holders).collect()
}
