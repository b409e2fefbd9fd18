"""A party of migrations that is not the harness's: a Requesting Party, by a folder or over HTTPS.

    party.py CONFIG.json

Prints a JSON line for each file it takes, refuses or writes, and for what became of each it wrote. CONFIG.json says who it is,
whom it knows, where it stands, and what it does wrong on purpose:

    spoil    kind of file to ways of spoiling it: each is written so first, and then as it should be
    only     whether it writes nothing but the spoilt ones
    refuse   kind of file to the words by which it refuses the first one
    mute     kinds of file it does not write
    late     kinds of file that it writes only after the next outcome
    die      kinds of file after whose writing it begins anew, once, before it has put away what they answer
"""

import json
import os
import pathlib
import sys

from doors import Folder, Https
from files import File, Files, Refused, altered, copied, element

CONFIG = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
STRANGER = "stranger"


def say(**what):
    print(json.dumps(what), flush=True)


class RequestingParty:
    """Brings what is authorised: answers the first demand of an attempt, and hands the second on to the SMSO, whose estate it
    makes the common file and the group file of."""

    def __init__(self):
        self.me = tuple(CONFIG["me"])
        self.known = {role: (role, eui) for role, eui, *_ in CONFIG["parties"]}
        names = {(role, eui): name for role, eui, *rest in CONFIG["parties"] for name in rest if name}
        self.files = Files(self.me, CONFIG["own"], names, CONFIG["keys"], CONFIG["schemas"])
        self.path = pathlib.Path(CONFIG["state"])
        fresh = {"number": CONFIG["number"], "seen": [], "highest": {}, "authorised": {}, "groups": {}, "died": []}
        self.state = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else fresh
        self.held, self.dying, self.refused = [], False, []
        door = CONFIG["door"]
        if "folder" in door:
            self.door = Folder(door["folder"])
        else:
            self.door = Https(CONFIG["keys"], CONFIG["own"], door["port"], door["post"])
        say(began=getattr(self.door, "port", 0))

    def keep(self):
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.state), encoding="utf-8")
        part.rename(self.path)

    def run(self):
        self.door.serve(self.take, lambda label, became: say(wrote=label, became=became), self.put_away)

    def put_away(self):
        if self.dying:
            say(dies=True)
            # Nothing is left of the program but what it has kept.
            os.execv(sys.executable, [sys.executable, *sys.argv])

    def take(self, octets):
        try:
            file = self.files.opened(octets)
            if file.digest in self.state["seen"]:
                return say(again=file.kind)
            self.in_order(file)
            words = CONFIG.get("refuse", {}).get(file.kind)
            if words and file.kind not in self.refused:
                self.refused.append(file.kind)
                raise Refused(words)
        except Refused as refused:
            say(refused=str(refused))
            raise
        getattr(self, "take_" + file.kind, lambda _: None)(file)
        self.state["seen"].append(file.digest)
        self.keep()
        return say(took=file.kind)

    def in_order(self, file):
        writer, number = "/".join(file.address("From")), int(file.text("Header/FileNumber"))
        if number <= self.state["highest"].get(writer, -1):
            raise Refused("OUT-REPLAYED: number %d of %s was there before" % (number, writer))
        self.state["highest"][writer] = number

    # What comes.

    def take_MigrationAuthorisation(self, file):
        installation = file.text("Body/InstallationID")
        self.state["authorised"].setdefault(installation, []).append(file.text("Body/MigrationAuthorisationID"))
        for group in self.state["groups"].values():
            group["answered"] = [known for known in group["answered"] if known != installation]

    def take_MigrationDemand(self, file):
        group = file.text("Header/GroupID")
        brought = self.state["groups"].setdefault(group, {"answered": [], "demand": None})
        wanted = {file.text("InstallationID", node): [known.text for known in file.all("MigrationAuthorisationID", node)]
                  for node in file.all("Body/DemandedInstallation")}
        if all(installation in brought["answered"] for installation in wanted):
            brought["demand"] = file.digest
            body = [copied(node) for node in file.all("Body/DemandedInstallation")]
            to = [self.known["SMSO"], self.known["MigrationControl"]]
            return self.write("MigrationDemand", to, group, None, body)
        body = []
        for installation, under in wanted.items():
            known = self.state["authorised"].get(installation, [])
            if under and all(name in known for name in under):
                brought["answered"].append(installation)
                found = element("Accepted", element("Note", "brought by a party of Python"))
            else:
                reason = "no such authorisation has come: %s" % ", ".join(under)
                found = element("Refused", element("Code", "OUT-AUTHORISATION"), element("Reason", reason))
            body.append(element("InstallationResult", element("InstallationID", installation), found))
        return self.write("MigrationDemandResponse", [self.known["MigrationControl"]], group, file.digest, body)

    def take_SMSOEstate(self, file):
        group = file.text("Header/GroupID")
        brought = self.state["groups"][group]
        installations, sealed = [], []
        for estate in file.all("Body/InstallationEstate"):
            installation = estate.find(File.path("Installation"))
            installations.append(self.authorised(file, installation))
            sealed += [copied(node) for node in file.all("SealedSecrets", estate)]
        readers = [self.known[role] for role in ("MigrationControl", "CommissioningParty", "S1SP", "DCO")]
        body = [element("SMSO", CONFIG["smso"]), *installations]
        common = self.write("MigrationCommonFile", readers, group, brought["demand"], body)
        if common:
            readers = [reader for reader in readers if reader[0] != "CommissioningParty"]
            self.write("MigrationGroupFile", readers, group, common, [element("CommonFileDigest", common), *sealed])

    def authorised(self, file, installation):
        """The installation of an estate under its authorisations."""
        eui = file.text("InstallationID", installation)
        names = [element("MigrationAuthorisationID", name) for name in self.state["authorised"][eui]]
        children = [copied(child) for child in installation]
        return element("Installation", *children[:2], *names, *children[2:])

    def take_MigrationOutcome(self, file):
        for installation in file.all("Body/InstallationOutcome/InstallationResult/InstallationID"):
            self.state["authorised"].pop(installation.text, None)
            for group in self.state["groups"].values():
                group["answered"] = [known for known in group["answered"] if known != installation.text]
        for send in self.held:
            self.door.send(*send)
        self.held = []

    # What goes.

    def number(self):
        self.state["number"] += 1
        return self.state["number"]

    def write(self, kind, to, group, follows, body):
        """Writes a file, and all that is to be wrong with it; gives its digest where it was written as it should be."""
        ways = CONFIG.get("spoil", {}).get(kind, [])
        for how in [how for how in ways if how != "replayed"]:
            self.spoilt(how, kind, to, group, follows, body)
        if CONFIG.get("only") and ways:
            return None
        if kind in CONFIG.get("mute", []):
            return None
        name, octets = self.files.written(kind, to, group, self.number(), follows, body)
        send = (name, octets, kind)
        if kind in CONFIG.get("late", []):
            CONFIG["late"].remove(kind)
            self.held.append((name, octets, kind + " late"))
            return None
        self.door.send(*send)
        if "replayed" in ways:
            self.door.send(*self.replayed(name, octets, kind, to, group, follows, body))
        if kind in CONFIG.get("die", []) and kind not in self.state["died"]:
            self.state["died"].append(kind)
            self.dying = True
        return File(octets).digest

    def replayed(self, name, octets, kind, to, group, follows, body):
        """The same octets under another name; over HTTPS, where the same octets are one file however often they come, another
        file with the same number."""
        if isinstance(self.door, Folder):
            return (name + "-again", octets, kind + " replayed")
        name, octets = self.files.written(kind, to, group, self.state["number"], follows, body)
        return (name, octets, kind + " replayed")

    def spoilt(self, how, kind, to, group, follows, body):
        number, signer = self.number(), None
        if how == "out-of-order":
            follows = "ab" * 32
        elif how == "for-another":
            to = [(role, "EE-EE-EE-EE-EE-EE-EE-EE") for role, _ in to]
        elif how == "wrong-signer":
            signer = STRANGER
        elif how == "signed-by-another":
            signer = "smso"
        elif how == "schema":
            body = [*body, element("Surprise", "x")]
        name, octets = self.files.written(kind, to, group, number, follows, body, signer)
        if how == "cut":
            octets = octets[: len(octets) * 2 // 3]
        elif how == "altered":
            octets = altered(octets)
        self.door.send(name, octets, "%s %s" % (kind, how))


RequestingParty().run()
