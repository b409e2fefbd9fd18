use super::*;
use proptest::prelude::*;

const KEY: VendingKey = VendingKey::new([0x5A; 32]);

/// If this fails, do not change the test: tokens printed by an earlier build must still work.
#[test]
fn golden_token() {
    let token = Utrn::make(&KEY, 42, 2_500).unwrap();
    assert_eq!(token.to_string(), "02500000420427214348");
}

#[test]
fn luhn_check_digit_of_the_standard_example() {
    assert_eq!(check_digit(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1]), 3);
}

#[test]
fn another_meters_token_is_refused() {
    let token = Utrn::make(&KEY, 1, 500).unwrap();
    assert_eq!(token.open(&VendingKey::new([0x5B; 32])), Err(UtrnRefusal));
}

#[test]
fn what_is_not_a_token_is_refused_with_the_place() {
    assert_eq!(Utrn::parse("123"), Err(UtrnFormatError::Length { found: 3 }));
    let error = Utrn::parse("0000000000000000000x").unwrap_err();
    assert_eq!(error, UtrnFormatError::NotADigit { position: 20, found: 'x' });
    assert!(Utrn::make(&KEY, 0, FIELD_MAX + 1).is_err());
}

proptest! {
    #[test]
    fn a_token_opens_to_what_was_bought(sequence in 0..=FIELD_MAX, pence in 0..=FIELD_MAX) {
        let token: Utrn = Utrn::make(&KEY, sequence, pence).unwrap().to_string().parse().unwrap();
        prop_assert_eq!(token.open(&KEY), Ok(TopUp { sequence, pence }));
    }

    #[test]
    fn one_mistyped_digit_is_always_found(sequence in 0..=FIELD_MAX, at in 0..DIGITS, by in 1u8..10) {
        let mut digits = Utrn::make(&KEY, sequence, 1_000).unwrap().0;
        digits[at] = (digits[at] + by) % 10;
        let text: String = digits.iter().map(u8::to_string).collect();
        let refused = matches!(Utrn::parse(&text), Err(UtrnFormatError::CheckDigit { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn any_text_is_answered(text in ".{0,30}") {
        let _ = Utrn::parse(&text);
    }
}
