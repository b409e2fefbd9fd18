//! Two ends and a line that loses and doubles blocks.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::apdu::Apdu;

fn transfer(window: u8) -> Transfer {
    Transfer::new(TransferSettings { window: BlockWindow::new(window).unwrap(), max_apdu: 5000 })
}

/// What the line does with a block: 0 loses it, 1 doubles it, anything else carries it.
type Line<'a> = &'a mut dyn FnMut() -> u8;

/// Sends blocks until the far end has the APDU; who hears nothing repeats.
fn carry(from: &mut Transfer, to: &mut Transfer, apdu: &[u8], block: usize, line: Line<'_>) -> Vec<u8> {
    let mut sent = from.send(apdu.to_vec(), block).unwrap();
    for _ in 0..20_000 {
        let mut back = Vec::new();
        for block in std::mem::take(&mut sent) {
            for _ in 0..copies(line()) {
                match to.receive(block.clone()).unwrap() {
                    Taken::Nothing => {}
                    Taken::Send(blocks) => back.extend(blocks),
                    Taken::Complete(apdu) => return apdu,
                }
            }
        }
        for block in back {
            for _ in 0..copies(line()) {
                match from.receive(block.clone()).unwrap() {
                    Taken::Send(blocks) => sent = blocks,
                    Taken::Nothing => {}
                    Taken::Complete(_) => panic!("an answer before the request is through"),
                }
            }
        }
        if sent.is_empty() {
            sent = from.repeat().unwrap();
        }
    }
    panic!("no end");
}

fn copies(fate: u8) -> usize {
    match fate {
        0 => 0,
        1 => 2,
        _ => 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn request_and_answer_come_through_whatever_is_lost(
        request in vec(any::<u8>(), 0..300), answer in vec(any::<u8>(), 0..900), block in 1usize..40,
        client_window in 1u8..=63, server_window in 1u8..=63, mut seed in 1..u64::MAX,
    ) {
        // One block in sixteen is lost, one in sixteen doubled, by a linear congruence of no period that matters here.
        let mut line = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 60) as u8
        };
        let (mut client, mut server) = (transfer(client_window), transfer(server_window));
        prop_assert_eq!(carry(&mut client, &mut server, &request, block, &mut line), request);
        prop_assert_eq!(carry(&mut server, &mut client, &answer, block, &mut line), answer);
    }

    #[test]
    fn over_a_good_line_nothing_is_sent_twice(length in 1usize..900, block in 1usize..40, window in 1u8..=63) {
        let (mut client, mut server) = (transfer(window), transfer(1));
        let mut blocks = 0;
        let mut line = || { blocks += 1; 9 };
        // The far end's window is known once it has said something.
        server.receive(client.send(vec![0xC0], 10).unwrap().remove(0)).unwrap();
        carry(&mut server, &mut client, &vec![7; length], block, &mut line);
        let data = length.div_ceil(block);
        prop_assert_eq!(blocks, data + (data - 1) / usize::from(window));
    }

    #[test]
    fn no_blocks_panic(blocks in vec((any::<[bool; 2]>(), 0..=63u8, 0..5u16, 0..5u16, vec(any::<u8>(), 0..3)), 0..40), sends: bool) {
        let mut transfer = transfer(3);
        if sends {
            transfer.send(vec![1; 30], 7).unwrap();
        }
        for ([last, streaming], window, number, acknowledged, data) in blocks {
            let window = BlockWindow::new(window).unwrap();
            let _ = transfer.receive(GeneralBlock { last, streaming, window, number, acknowledged, data });
            let _ = transfer.repeat();
        }
    }
}

/// The blocks of a short exchange, as the picture of the module shows it: window 3, the second block lost.
#[test]
fn a_lost_block_is_sent_again_and_no_other() {
    let (mut client, mut server) = (transfer(3), transfer(1));
    let request = client.send(b"get".to_vec(), 10).unwrap();
    assert_eq!(hex::encode_upper(Apdu::GeneralBlock(request[0].clone()).encode()), "E0830001000003676574");
    assert_eq!(server.receive(request[0].clone()), Ok(Taken::Complete(b"get".to_vec())));
    let answer = server.send(b"aabbccd".to_vec(), 2).unwrap();
    let shown = |blocks: &[GeneralBlock]| {
        let show = |block: &GeneralBlock| hex::encode_upper(Apdu::GeneralBlock(block.clone()).encode());
        blocks.iter().map(show).collect::<Vec<_>>()
    };
    assert_eq!(shown(&answer), ["E04100010001026161", "E04100020001026262", "E00100030001026363"]);
    assert_eq!(client.receive(answer[0].clone()), Ok(Taken::Nothing));
    let Ok(Taken::Send(lost)) = client.receive(answer[2].clone()) else { panic!() };
    assert_eq!(shown(&lost), ["E0830002000100"]);
    let Ok(Taken::Send(again)) = server.receive(lost[0].clone()) else { panic!() };
    assert_eq!(shown(&again), ["E04100020002026262", "E04100030002026363", "E081000400020164"]);
    again[..2].iter().for_each(|block| assert_eq!(client.receive(block.clone()), Ok(Taken::Nothing)));
    assert_eq!(client.receive(again[2].clone()), Ok(Taken::Complete(b"aabbccd".to_vec())));
}

#[test]
fn an_end_that_never_gets_on_gives_up() {
    let mut client = transfer(1);
    client.send(vec![0; 100], 10).unwrap();
    let error = (0..100).find_map(|_| client.repeat().err());
    assert!(matches!(error, Some(TransferError::NoProgress { times: 9, .. })), "{error:?}");
    let mut client = transfer(1);
    let block = |number| GeneralBlock {
        last: false,
        streaming: false,
        window: BlockWindow::ONE,
        number,
        acknowledged: 0,
        data: vec![0; 600],
    };
    let error = (1..100).find_map(|number| client.receive(block(number)).err());
    assert_eq!(error, Some(TransferError::TooLong { limit: 5000 }));
}

#[test]
fn acknowledging_what_was_not_sent_is_an_error() {
    let mut client = transfer(1);
    client.send(vec![0; 100], 10).unwrap();
    let mut block = transfer(1).acknowledgement(1);
    block.acknowledged = 7;
    assert_eq!(client.receive(block), Err(TransferError::NotSent { found: 7, sent: 1 }));
}
