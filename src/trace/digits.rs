//! Digits off the front of bytes, eight at a time.
//!
//! Numbers of traces have one to seven digits on either side of the point, and how many cannot be foreseen: a loop over bytes
//! guesses its end wrong at nearly every number, which costs more than the digits themselves.

/// Powers of ten by exponent.
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Takes the digits from `at` on, which go on those of `value`; returns the new value and where they end. Of more than 19 digits
/// together the value means nothing.
#[inline]
pub(super) fn digits(bytes: &[u8], mut at: usize, mut value: u64) -> (u64, usize) {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let (taken, count) = first_of_eight(u64::from_le_bytes(*chunk));
        value = value.wrapping_mul(POWERS[count]).wrapping_add(taken);
        at += count;
        if count < 8 {
            return (value, at);
        }
    }
    while let Some(digit @ 0..=9) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (value, at)
}

/// Returns the number that the digits at the front of eight bytes are, and how many they are. The first byte is the lowest.
fn first_of_eight(chunk: u64) -> (u64, usize) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let digits = chunk ^ (0x30 * EACH);
    // 9 + 0x76 is the last sum without the highest bit. A carry reaches only bytes behind the first that is no digit.
    let others = (digits.wrapping_add(0x76 * EACH) | digits) & (0x80 * EACH);
    let count = others.trailing_zeros() / 8;
    if count == 0 {
        return (0, 0);
    }
    // Zeros before them, then neighbours are put together: to two digits, to four, to eight.
    let padded = digits << (64 - 8 * count);
    let twos = (padded.wrapping_mul(10).wrapping_add(padded >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(100).wrapping_add(twos >> 16)) & 0x0000_ffff_0000_ffff;
    let all = (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff;
    (all, count as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::digits;

    proptest! {
        #[test]
        fn digits_are_what_a_loop_finds(bytes in "[0-9]{0,19}(\\PC{0,3}[0-9]{0,9})?", before in 0_u64..10) {
            let found: String = bytes.chars().take_while(char::is_ascii_digit).collect();
            prop_assume!(found.len() < 19);
            let value = found.bytes().fold(before, |value, byte| value * 10 + u64::from(byte - b'0'));
            prop_assert_eq!(digits(bytes.as_bytes(), 0, before), (value, found.len()), "{}", bytes);
        }

        #[test]
        fn any_bytes_behind_digits_end_them(byte in any::<u8>(), rest in any::<[u8; 9]>(), count in 0_usize..8) {
            prop_assume!(!byte.is_ascii_digit());
            let bytes = [&b"7654321"[..count.min(7)], &[byte], &rest].concat();
            prop_assert_eq!(digits(&bytes, 0, 0).1, count.min(7));
        }
    }
}
