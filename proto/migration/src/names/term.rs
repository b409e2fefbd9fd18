//! What the files are made of, by the lab's own words.

macro_rules! terms {
    ($($(#[$doc:meta])* $term:ident = $key:literal,)+) => {
        /// An element of a file, whatever the schema calls it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Term {
            $($(#[$doc])* $term,)+
        }

        impl Term {
            pub(super) const ALL: &'static [Self] = &[$(Self::$term,)+];

            /// Its key in the data.
            pub(super) const fn key(self) -> &'static str {
                match self {
                    $(Self::$term => $key,)+
                }
            }
        }
    };
}

terms! {
    /// What a file says of itself.
    Header = "header",
    /// The name of a file.
    FileName = "file-name",
    /// Who wrote it.
    From = "from",
    /// Whom it is for.
    To = "to",
    /// The part a party plays.
    Role = "role",
    /// Who a party is.
    PartyId = "party-id",
    /// The group of installations.
    GroupId = "group-id",
    /// The number of a file among its writer's.
    FileNumber = "file-number",
    /// The digest of the file it follows.
    Follows = "follows",
    /// When it was written.
    Written = "written",
    /// What a file says.
    Body = "body",
    /// An installation, by its communications hub.
    InstallationId = "installation-id",
    /// Dormant, active or mixed.
    InstallationKind = "installation-kind",
    /// An authorisation.
    AuthorisationId = "authorisation-id",
    /// From when an authorisation holds.
    ValidFrom = "valid-from",
    /// Until when.
    ValidUntil = "valid-until",
    /// An installation that is asked for.
    Demanded = "demanded",
    /// An installation as declared.
    Installation = "installation",
    /// A device as declared.
    Device = "device",
    /// Its kind.
    DeviceType = "device-type",
    /// Its EUI-64.
    DeviceId = "device-id",
    /// Its manufacturer.
    Manufacturer = "manufacturer",
    /// Its model.
    Model = "model",
    /// Its hardware version.
    HardwareVersion = "hardware-version",
    /// Its firmware version.
    FirmwareVersion = "firmware-version",
    /// Its configuration version.
    ConfigurationVersion = "configuration-version",
    /// A meter point.
    MeterPoint = "meter-point",
    /// Its MPAN or MPRN.
    MeterPointNumber = "meter-point-number",
    /// A supplier.
    SupplierId = "supplier-id",
    /// Whether the supplier operates the meter through the SMSO.
    Active = "active",
    /// What an SMSO knows of an installation.
    Estate = "estate",
    /// Secrets sealed to one party.
    Sealed = "sealed",
    /// That party.
    Recipient = "recipient",
    /// The sender's ephemeral public key.
    EncapsulatedKey = "encapsulated-key",
    /// The ciphertext with its tag.
    Ciphertext = "ciphertext",
    /// The SMSO of a common file.
    Smso = "smso",
    /// The common file that a group file goes with.
    CommonFileDigest = "common-file-digest",
    /// The step that was done.
    Step = "step",
    /// What was found of an installation.
    Result = "result",
    /// Nothing stands in the way.
    Accepted = "accepted",
    /// What was seen.
    Said = "said",
    /// A device that is left out.
    Without = "without",
    /// Something stands in the way.
    Refused = "refused",
    /// Its code.
    Code = "code",
    /// Why.
    Reason = "reason",
    /// A file that a required file set was made from.
    RequiredFile = "required-file",
    /// Its digest.
    FileDigest = "file-digest",
    /// An installation of which the S1SP has all it needs.
    Ready = "ready",
    /// An installation that joins the inventory.
    Commissioned = "commissioned",
    /// Who holds a device's credentials.
    Holder = "holder",
    /// The DCC does.
    HolderDcc = "holder-dcc",
    /// How one migration ended.
    Outcome = "outcome",
    /// In which of the four ways.
    OutcomeClass = "outcome-class",
}
