//! Explanations of published messages, and of nonsense.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn octets(hex_text: &str) -> Vec<u8> {
    hex::decode(hex_text.replace(' ', "")).unwrap()
}

/// What the message is in words, its layer found by itself.
fn title(hex_text: &str) -> String {
    let octets = octets(hex_text);
    let span = explain(&octets, Layer::guess(&octets).unwrap()).span;
    assert_covers(&span, &octets);
    assert!(span.is_sound(), "{:?}", span.problems());
    titles(&span)
}

/// The titles of a span and of the groups within it that are layers.
fn titles(span: &Span) -> String {
    let mut found = vec![span.value.clone()];
    collect(span, &mut found);
    found.retain(|title| !title.is_empty());
    found.join(" | ")
}

fn collect(span: &Span, found: &mut Vec<String>) {
    for part in &span.parts {
        if matches!(part.name.as_ref(), "APDU" | "gateway header" | "negotiation" | "initiate") {
            found.push(part.value.clone());
        }
        collect(part, found);
    }
}

/// Every octet belongs to exactly one span without parts.
fn assert_covers(span: &Span, octets: &[u8]) {
    assert_eq!((span.at, span.length), (0, octets.len()));
    assert_parts_fill(span);
}

fn assert_parts_fill(span: &Span) {
    let mut at = span.at;
    for part in &span.parts {
        assert_eq!(part.at, at, "{span:?}");
        at += part.length;
        assert_parts_fill(part);
    }
    assert!(span.parts.is_empty() || at == span.at + span.length, "{span:?}");
}

/// The published example of connecting without proposals, and its answer.
#[test]
fn the_published_connection_is_explained() {
    assert_eq!(title("7EA00A00020023219318717E"), "16 to 1/17: SNRM connect, P/F");
    assert_eq!(
        title("7EA023210002002373F6C58180140502008006020080070400000001080400000001CE6A7E"),
        "1/17 to 16: UA agreed, P/F | longest information sent 128, longest information received 128, window sent 1, \
         window received 1"
    );
}

#[test]
fn an_association_request_in_its_frame_is_explained_down_to_the_services() {
    let title = title(
        "7EA02E0002002321107ECBE6E600601DA109060760857405080101BE10040E01000000065F1F040000301DFFFFD4C57E",
    );
    assert_eq!(
        title,
        "16 to 1/17: I N(S) 0 N(R) 0, P/F | AARQ logical names, not ciphered | InitiateRequest version 6, APDUs up to \
         65535, services attribute0-with-get block-transfer-with-get-or-read get set selective-access action"
    );
}

#[test]
fn a_rejected_association_says_why() {
    assert_eq!(
        title("6117A109060760857405080101A203020101A305A10302010D"),
        "AARE logical names, not ciphered, rejected for good, authentication failure (13)"
    );
}

#[test]
fn services_name_objects_and_values() {
    assert_eq!(
        title("C001C1 0008 0000010000FF 02 00"),
        "Get-Request 0-0:1.0.0.255 clock, Clock, attribute 2 time"
    );
    assert_eq!(title("C401C1 00 06 00003039"), "Get-Response double-long-unsigned 12345");
    assert_eq!(
        title("C401C1 00 0202 0FFD 161E"),
        "Get-Response structure of 2: times 10^-3, Wh (active energy)"
    );
    assert_eq!(title("C401C1 01 04"), "Get-Response object undefined (4)");
    assert_eq!(
        title("C301C1 0046 000060030AFF 02 01 0F00"),
        "Action-Request 0-0:96.3.10.255 disconnect control, Disconnect control, method 2 remote_reconnect with integer 0"
    );
    assert_eq!(title("C701C1 00 00"), "Action-Response success");
    assert_eq!(title("D80102"), "Exception-Response service not allowed, service not supported");
    assert_eq!(
        title("C200 0001 0000600B00FF 02 09021234"),
        "EventNotificationRequest 0-0:96.11.0.255 event code 0, Data, attribute 2 value = octet-string 1234"
    );
}

#[test]
fn a_selection_by_range_says_its_ends() {
    let request = "C001C1 0007 0100630100FF 02 01 01 0204 0204 120008 09060000010000FF 0F02 120000 \
                   090C07EA0B16FF000000FF800000 090C07EA0B16FF173B3BFF800000 0100";
    assert_eq!(
        title(request),
        "Get-Request 1-0:99.1.0.255 load profile of recording period 1, Profile generic, attribute 2 buffer, entries \
         from 2026-11-22T00:00:00 deviation * status 00 to 2026-11-22T23:59:59 deviation * status 00"
    );
}

#[test]
fn a_ciphered_apdu_says_who_sealed_it_and_its_counter() {
    let message = format!("DB 08 4D4D4D0000BC614E 16 30 01234567 {}", "00".repeat(17));
    assert_eq!(
        title(&message),
        "General-Glo-Ciphering authenticated and encrypted, suite 0, unicast key, invocation counter 19088743, 5 octets, \
         from 4D4D4D0000BC614E (\"MMM\" 0000BC614E)"
    );
}

#[test]
fn a_device_behind_the_gateway_is_named() {
    assert_eq!(
        title("0001 0001 0001 0018 E6 00 08 00DB123456789002 C001C1 0001 0000600100FF 02 00"),
        "1 to 1 | request to 00-DB-12-34-56-78-90-02 on network 0 | Get-Request 0-0:96.1.0.255 device ID 1, Data, \
         attribute 2 value"
    );
}

#[test]
fn sign_on_texts_are_explained() {
    assert_eq!(title(&hex::encode(b"/?!\r\n")), "sign-on request to any meter");
    assert_eq!(
        title(&hex::encode(b"/LGZ5\\2ZMD405\r\n")),
        "identification: LGZ, \"ZMD405\", up to 9600 baud, mode E"
    );
    assert_eq!(title(&hex::encode(b"\x06252\r\n")), "acknowledgement: binary mode (HDLC) at 9600 baud");
    assert_eq!(title(&hex::encode(b"\x021.8.0(1)!\r\n\x03\x2c")), "data");
}

#[test]
fn a_wrong_check_sequence_says_what_was_expected() {
    let frame = octets("7EA00A00020023219318727E");
    let span = explain(&frame, Layer::Hdlc).span;
    assert_covers(&span, &frame);
    let problems: Vec<_> = span.problems().iter().map(|span| span.problem.clone().unwrap()).collect();
    assert_eq!(problems, ["found 18 72, expected 18 71: noise on the line, or wrong baud rate or parity"]);
}

#[test]
fn a_message_cut_short_is_explained_as_far_as_it_goes() {
    let span = explain(&octets("C001C1 0008 000001"), Layer::Apdu).span;
    let named: Vec<_> = span.leaves().iter().map(|span| span.name.to_string()).collect();
    assert_eq!(named, ["APDU tag", "choice", "invoke id and priority", "class id", "logical name"]);
    let problem = span.problems()[0].problem.clone().unwrap();
    assert!(problem.starts_with("needs 6 octets, 3 left"), "{problem}");
}

#[test]
fn passwords_are_marked() {
    let aarq = "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F0400007E1F04B0";
    let octets = octets(aarq);
    let span = explain(&octets, Layer::Apdu).span;
    let secret: Vec<_> = span.leaves().into_iter().filter(|span| span.secret).cloned().collect();
    assert_eq!(secret.len(), 1);
    assert_eq!(&octets[secret[0].at..][..secret[0].length], b"12345678");
}

/// A published exchange in segments: the answer is whole with its last segment, and knows its question.
#[test]
fn an_answer_in_blocks_is_put_together_and_knows_its_question() {
    let mut conversation = Conversation::new();
    let mut say = |way, message: &str| conversation.explain_message(way, &octets(message));
    say(Way::Request, "E6E600 C001C1 0007 0100630100FF 03 00");
    let first = say(Way::Response, "E6E700 C402C1 00 00000001 00 05 0101020412");
    assert!(first.whole.is_empty());
    assert_eq!(
        titles(&first.span),
        "Get-Response 1-0:99.1.0.255 load profile of recording period 1, Profile generic, attribute 3 \
         capture_objects: block 1, 5 octets"
    );
    say(Way::Request, "E6E600 C002C1 00000001");
    let last = say(Way::Response, "E6E700 C402C1 01 00000002 00 0F 000809060000010000FF0F02120000");
    let [whole] = last.whole.as_slice() else { panic!("{last:?}") };
    assert_eq!(whole.what, "value from 2 blocks");
    assert_covers(&whole.span, &whole.octets);
    assert!(whole.span.is_sound());
    assert_eq!(
        whole.span.parts[0].parts[1].value,
        "structure of 4: 0-0:1.0.0.255 clock, Clock, attribute 2 time"
    );
}

/// IEC 62056-5-3 and the DLMS UA's published example: keys, title, counter and message of a ciphered Get-Request.
#[test]
fn a_ciphered_message_is_looked_into_with_the_keys() {
    use crate::security::{Key, Keys, SystemTitle};
    let key = |text| Key::try_from(octets(text).as_slice()).unwrap();
    let keys = Keys {
        encryption: key("000102030405060708090A0B0C0D0E0F"),
        authentication: key("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"),
    };
    let title = SystemTitle(*b"MMM\0\0\xBCaN");
    let sealed = octets("C8 1E 30 01234567 411312FF935A47566827C467BC 7D825C3BE4A77C3FCC056B6B");
    let explained = |titles| {
        Conversation::with_keys(Some(Reveal::new(keys.clone(), titles)))
            .explain_message(Way::Request, &sealed)
    };
    let [opened] = &explained(vec![SystemTitle([0; 8]), title]).whole[..] else { panic!("not opened") };
    assert_eq!(opened.what, "deciphered");
    assert_eq!(opened.span.value, "Get-Request 0-0:1.0.0.255 clock, Clock, attribute 2 time");
    let [closed] = &explained(vec![SystemTitle([0; 8])]).whole[..] else { panic!("said nothing") };
    assert!(!closed.span.is_sound());
    assert_covers(&closed.span, &closed.octets);
}

fn cut(octets: &[u8], chunk: usize) -> Vec<Piece> {
    let mut cutter = Cutter::new();
    let mut pieces = Vec::new();
    for chunk in octets.chunks(chunk.max(1)) {
        cutter.receive(chunk);
        pieces.extend(std::iter::from_fn(|| cutter.next_piece()));
    }
    pieces.extend(std::iter::from_fn(|| cutter.finish()));
    pieces
}

#[test]
fn frames_that_share_a_flag_arrive_in_halves_and_follow_noise_are_each_found() {
    let one = octets("7EA00A00020023219318717E");
    let two = octets("7EA0210002002373F6C58180140502008006020080070400000001080400000001CE6A7E");
    let three = octets("7EA013210352C7C1E6E700C401C10012DF23697E7E");
    let line = [b"/?!\r\n".as_slice(), &one, &one[1..], b"\x55\x33", &three, &two[..20]].concat();
    for chunk in [1, 3, 7, 500] {
        let mut kinds: Vec<PieceKind> = cut(&line, chunk).iter().map(|piece| piece.kind).collect();
        // Noise is given out as it comes: in as many pieces as it arrived in.
        kinds.dedup_by(|one, other| *one == *other && *one == PieceKind::Unknown);
        assert_eq!(
            kinds,
            [
                PieceKind::SignOn,
                PieceKind::Hdlc,
                PieceKind::Hdlc,
                PieceKind::Unknown,
                PieceKind::Hdlc,
                PieceKind::Hdlc
            ],
            "{chunk} at a time"
        );
    }
}

/// A frame whose end was lost must not take the good frame behind it along.
#[test]
fn a_good_frame_behind_a_broken_one_is_found() {
    let good = octets("7EA00A00020023219318717E");
    let broken = octets("7EA0232100020023");
    let pieces = cut(&[broken.clone(), good.clone(), vec![0; 40]].concat(), 5);
    assert!(pieces.iter().any(|piece| piece.kind == PieceKind::Hdlc && piece.octets == good), "{pieces:?}");
}

fn near() -> impl Strategy<Value = Vec<u8>> {
    let starts: [&[u8]; 12] = [
        &[],
        &[0x7E, 0xA0, 0x0A, 0x21, 0x03, 0x10],
        &[0x7E, 0xA8, 0x10, 0x21, 0x03, 0x10, 0, 0, 0xE6, 0xE6, 0],
        &[0, 1, 0, 16, 0, 1, 0, 9],
        &[0xE6, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0x60, 0x1D, 0xA1, 9, 6, 7, 0x60, 0x85, 0x74, 5, 8, 1, 1],
        &[0xC4, 2, 0xC1, 0, 0, 0, 0, 1, 0],
        &[0xDB, 8, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xE0, 0x80, 0, 1, 0, 0],
        b"/ABC5\\2X\r\n",
        &[2, 0x31, 3],
        &[0xD9, 0, 0, 0, 1, 0, 1, 1],
    ];
    let tag = proptest::sample::select(
        &[
            0x60_u8, 0x61, 0x63, 0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7, 0xC2, 0x0F, 0xD8, 0xD9, 0xDA, 0xDB,
            0xDD, 0xDF, 0xE0, 0xC8, 1, 8, 14,
        ][..],
    );
    let octet = prop_oneof![
        3 => proptest::sample::select(&[0_u8, 1, 2, 3, 4, 9, 15, 18, 22, 0x7E, 0xA0, 0xC1, 0xBE, 0x81, 0x82][..]),
        2 => any::<u8>(),
    ];
    let start = prop_oneof![
        2 => proptest::sample::select(starts.to_vec()).prop_map(<[u8]>::to_vec),
        1 => tag.prop_map(|tag| vec![tag]),
    ];
    (start, vec(octet, 0..80)).prop_map(|(start, rest)| [start, rest].concat())
}

proptest! {
    #[test]
    fn every_octet_is_explained_once_whatever_it_is_taken_for(octets in near()) {
        for layer in [Layer::SignOn, Layer::Hdlc, Layer::Wrapper, Layer::Apdu, Layer::Data] {
            let explained = explain(&octets, layer);
            assert_covers(&explained.span, &octets);
            for whole in &explained.whole {
                assert_covers(&whole.span, &whole.octets);
            }
        }
    }

    #[test]
    fn every_octet_of_a_line_is_in_one_piece_however_it_arrives(
        messages in vec(near(), 0..6), chunk in 1usize..50
    ) {
        let line = messages.concat();
        let pieces = cut(&line, chunk);
        let mut conversation = Conversation::new();
        let mut from = 0;
        for piece in &pieces {
            prop_assert_eq!(piece.from, from);
            from += piece.octets.len() as u64;
            let explained = conversation.explain(Way::Response, piece);
            assert_covers(&explained.span, &piece.octets);
        }
        prop_assert_eq!(pieces.into_iter().flat_map(|piece| piece.octets).collect::<Vec<_>>(), line);
    }

    /// What the codec reads, the explanation finds nothing wrong with. Of a sealed message the codec reads the envelope
    /// only, the explanation what it can of the contents as well.
    #[test]
    fn what_can_be_decoded_is_explained_without_a_problem(octets in near()) {
        use crate::apdu::Apdu;
        let decoded = Apdu::decode(&octets);
        let sealed = matches!(decoded, Ok(Apdu::Ciphered(_) | Apdu::OtherSuite(_)));
        if decoded.is_ok() && !sealed && !matches!(octets[0], 0x60..=0x63) {
            let span = explain(&octets, Layer::Apdu).span;
            prop_assert!(span.is_sound(), "{:?}", span.problems());
        }
    }
}
