"""HPKE (RFC 9180) of somebody else's: pyhpke, on the cryptography library. Nothing of ours.

    peer.py seal PUBLIC.pem INFO AAD          plaintext on standard input; prints the encapsulated key, then the ciphertext
    peer.py open PRIVATE.pem INFO AAD ENC     ciphertext on standard input; prints the plaintext

Everything but the keys is in hexadecimal digits.
"""
import sys

from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

SUITE = CipherSuite.new(KEMId.DHKEM_P256_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES128_GCM)


def main(what, key_file, info, aad, enc=None):
    with open(key_file, encoding="ascii") as file:
        key = KEMKey.from_pem(file.read())
    info, aad, octets = bytes.fromhex(info), bytes.fromhex(aad), bytes.fromhex(sys.stdin.read().strip())
    if what == "seal":
        enc, context = SUITE.create_sender_context(key, info)
        print(enc.hex(), context.seal(octets, aad).hex(), sep="\n")
    else:
        context = SUITE.create_recipient_context(bytes.fromhex(enc), key, info)
        print(context.open(octets, aad).hex())


main(*sys.argv[1:])
