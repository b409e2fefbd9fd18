"""Files of a migration as a party reads and writes them that shares nothing with the harness but the published schemas:
Python's XML reader, xmllint for the schemas, xmlsec1 for signatures."""

import datetime
import hashlib
import os
import pathlib
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

SPACE = "urn:smets1-lab:migration:1"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
MIG = "{%s}" % SPACE
# The schema of each kind of file, and how names of it begin.
KINDS = {
    "MigrationAuthorisation": ("authorisation", "MA_"),
    "MigrationDemand": ("demand", "DC-"),
    "MigrationDemandResponse": ("response", "DR_"),
    "SMSOEstate": ("estate", "ES_"),
    "MigrationCommonFile": ("common", "MC_"),
    "MigrationGroupFile": ("group", "MG_"),
    "MigrationResults": ("results", "MR_"),
    "S1SPRequiredFileSet": ("required-file-set", "RF_"),
    "S1SPCommissioningFile": ("commissioning", "CF_"),
    "MigrationRollback": ("rollback", "RB_"),
    "MigrationOutcome": ("outcome", "OC_"),
    "KeyWrapRequest": ("key-wrap-request", "KW_"),
    "WrappedKeys": ("wrapped-keys", "WK_"),
}
TEMPLATE = (
    '<ds:Signature xmlns:ds="%s"><ds:SignedInfo>'
    '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>'
    '<ds:Reference URI=""><ds:Transforms>'
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
    '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>'
    "</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509IssuerSerial/></ds:X509Data></ds:KeyInfo>"
    "</ds:Signature>" % DSIG
)


class Refused(Exception):
    """A file that is not taken: code and reason."""


def element(name, *children):
    """An element of the schema, with texts and elements (which begin with `<`) in it."""
    inside = "".join(child if child.startswith("<") else escape(child) for child in children)
    return "<mig:%s>%s</mig:%s>" % (name, inside, name)


def party(tag, address):
    role, eui = address
    return element(tag, element("Role", role), element("PartyID", eui))


def copied(node):
    """An element of somebody's file, to be written into another."""
    children = [copied(child) for child in node]
    return element(node.tag[len(MIG):], *(children or [node.text or ""]))


class File:
    """A file that was read: nothing of it is to be believed before Files.opened has taken it."""

    def __init__(self, octets):
        try:
            self.root = ElementTree.fromstring(octets)
        except ElementTree.ParseError as error:
            raise Refused("OUT-XML: %s" % error) from error
        self.octets = octets
        self.digest = hashlib.sha256(octets).hexdigest()
        self.kind = self.root.tag[len(MIG):]
        if self.kind not in KINDS:
            raise Refused("OUT-KIND: %s is no kind of file" % self.root.tag)

    def text(self, path, node=None):
        return (self.root if node is None else node).findtext(self.path(path))

    def all(self, path, node=None):
        return (self.root if node is None else node).findall(self.path(path))

    @staticmethod
    def path(path):
        return "/".join(MIG + part for part in path.split("/"))

    def address(self, tag):
        node = self.root.find(self.path("Header/" + tag))
        return (self.text("Role", node), self.text("PartyID", node))

    def readers(self):
        return [(self.text("Role", to), self.text("PartyID", to)) for to in self.all("Header/To")]


class Files:
    """Reads and writes the files of one party. `keys` has ca.pem and, for each name, NAME.pem and NAME.key."""

    def __init__(self, me, own, known, keys, schemas):
        self.me, self.own, self.keys, self.schemas = me, own, pathlib.Path(keys), pathlib.Path(schemas)
        # Address to the name of its certificate.
        self.known = known
        self.serials = {address: self.serial(name) for address, name in known.items()}

    def serial(self, name):
        command = ["openssl", "x509", "-noout", "-serial", "-in", str(self.keys / (name + ".pem"))]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return int(said.strip().split("=")[1], 16)

    def opened(self, octets):
        """The file of these octets, if the schema and the signature of the one it names as its writer hold."""
        file = File(octets)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file.xml")
            pathlib.Path(path).write_bytes(octets)
            schema = self.schemas / (KINDS[file.kind][0] + ".xsd")
            self.run(["xmllint", "--noout", "--nonet", "--schema", str(schema), path], "OUT-SCHEMA")
            writer = file.address("From")
            if writer not in self.known:
                raise Refused("OUT-WRITER: %s is not known here" % (writer,))
            serial = file.root.findtext(".//{%s}X509SerialNumber" % DSIG)
            if serial is None or int(serial) != self.serials[writer]:
                raise Refused("OUT-WRITER: signed by the certificate %s, not by that of %s" % (serial, writer))
            certificate = str(self.keys / (self.known[writer] + ".pem"))
            trusted = ["--trusted-pem", str(self.keys / "ca.pem"), "--untrusted-pem", certificate]
            command = ["xmlsec1", "--verify", "--enabled-key-data", "x509", *trusted, path]
            self.run(command, "OUT-SIGNATURE")
        if self.me not in file.readers():
            raise Refused("OUT-READER: it is for %s" % file.readers())
        return file

    @staticmethod
    def run(command, code):
        out = subprocess.run(command, capture_output=True, text=True, check=False)
        if out.returncode:
            said = " ".join((out.stderr or out.stdout).split())[-400:]
            raise Refused("%s: %s" % (code, said))
        return out.stdout

    def name(self, kind, group, number):
        return "%s%s_%s_%d" % (KINDS[kind][1], group, self.me[1].replace("-", ""), number)

    def written(self, kind, to, group, number, follows, body, signer=None):
        """The octets of a file, and its name."""
        name = self.name(kind, group, number)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        header = [element("FileName", name), party("From", self.me)]
        header += [party("To", reader) for reader in to]
        header += [element("GroupID", group), element("FileNumber", str(number))]
        header += [element("FollowsFileDigest", follows)] if follows else []
        header += [element("WrittenDateTime", now)]
        text = '<mig:%s xmlns:mig="%s" schemaVersion="1.0">%s%s%s</mig:%s>' % (
            kind, SPACE, element("Header", *header), element("Body", *body), TEMPLATE, kind)
        return name, self.signed(text, signer or self.own)

    def signed(self, text, signer):
        with tempfile.TemporaryDirectory() as folder:
            path, out = os.path.join(folder, "file.xml"), os.path.join(folder, "signed.xml")
            pathlib.Path(path).write_text(text, encoding="utf-8")
            key = "%s,%s" % (self.keys / (signer + ".key"), self.keys / (signer + ".pem"))
            self.run(["xmlsec1", "--sign", "--privkey-pem", key, "--output", out, path], "OUT-SIGN")
            return pathlib.Path(out).read_bytes()


def altered(octets):
    """The same with a digit of the group's name changed after it was signed."""
    found = re.search(rb"<mig:GroupID>[^<]*([0-9])</mig:GroupID>", octets)
    place = found.start(1)
    return octets[:place] + (b"1" if octets[place:place + 1] == b"0" else b"0") + octets[place + 1:]
