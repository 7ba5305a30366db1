//! Which network addresses are open to the world. A plugin reaches only those, unless its grant names an address literally.
//!
//! | what | why it is refused |
//! |---|---|
//! | this machine, private networks, shared carrier space | services there trust whoever can reach them |
//! | link-local and the clouds' metadata addresses | they hand out credentials to anyone who asks |
//! | multicast, broadcast, reserved and documentation ranges | no service of the world answers there |
//! | IPv4 inside IPv6 (mapped, compatible, Teredo, local NAT64) | it is another spelling of an address above |
//!
//! 6to4 and the well-known NAT64 prefix also carry an IPv4 address, but networks without IPv4 really use them: there the
//! address inside decides. The ranges are those of the IANA special-purpose address registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is wrong with reaching this address, or nothing if it is open to the world. The words follow "is".
pub(super) fn refusal(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) => refusal_v6(address),
    }
}

const METADATA: &str = "a metadata address of a cloud";
const LOOPBACK: &str = "an address of this machine";
const PRIVATE: &str = "a private address";
const LINK_LOCAL: &str = "a link-local address";
const RESERVED: &str = "a reserved address";
const MULTICAST: &str = "a multicast address";
const UNSPECIFIED: &str = "the unspecified address";
const EMBEDDED: &str = "an IPv4 address inside an IPv6 one";

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        // AWS, Google Cloud and others; Azure's agent; Alibaba Cloud; Oracle's classic cloud.
        [169, 254, 169, 254] | [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => Some(METADATA),
        [0, 0, 0, 0] => Some(UNSPECIFIED),
        [127, ..] => Some(LOOPBACK),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(PRIVATE),
        [100, 64..=127, ..] => Some("an address of a carrier's shared range"),
        [169, 254, ..] => Some(LINK_LOCAL),
        [224..=239, ..] => Some(MULTICAST),
        [0 | 240..=255, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Some(RESERVED),
        _ => None,
    }
}

fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unspecified() {
        return Some(UNSPECIFIED);
    }
    if address.is_loopback() {
        return Some(LOOPBACK);
    }
    match address.segments() {
        // AWS; Google Cloud's; both lie in the private range, but deserve their name in the message.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Some(METADATA),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            refusal_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 1, ..] | [0x2001, 0, ..] => Some(EMBEDDED),
        [0xfe80..=0xfebf, ..] => Some(LINK_LOCAL),
        [0xfec0..=0xfeff, ..] | [0xfc00..=0xfdff, ..] => Some(PRIVATE),
        [0xff00..=0xffff, ..] => Some(MULTICAST),
        // Everything that IANA has not handed out as global unicast, and the documentation ranges inside it.
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Some(RESERVED),
        [0x2000..=0x3fff, ..] => None,
        _ => Some(RESERVED),
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_world_are_open() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "169.253.0.1",
            "192.167.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert_eq!(refusal(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn every_closed_range_is_refused_in_every_spelling() {
        for (address, why) in [
            ("127.0.0.1", LOOPBACK),
            ("127.255.0.9", LOOPBACK),
            ("::1", LOOPBACK),
            ("10.1.2.3", PRIVATE),
            ("172.16.0.1", PRIVATE),
            ("172.31.255.255", PRIVATE),
            ("192.168.1.1", PRIVATE),
            ("fc00::1", PRIVATE),
            ("fdff::1", PRIVATE),
            ("fec0::1", PRIVATE),
            ("100.64.0.1", "an address of a carrier's shared range"),
            ("100.127.255.255", "an address of a carrier's shared range"),
            ("169.254.0.1", LINK_LOCAL),
            ("fe80::1", LINK_LOCAL),
            ("febf::1", LINK_LOCAL),
            ("169.254.169.254", METADATA),
            ("168.63.129.16", METADATA),
            ("100.100.100.200", METADATA),
            ("fd00:ec2::254", METADATA),
            ("0.0.0.0", UNSPECIFIED),
            ("::", UNSPECIFIED),
            ("0.1.2.3", RESERVED),
            ("192.0.2.1", RESERVED),
            ("198.18.0.1", RESERVED),
            ("240.0.0.1", RESERVED),
            ("255.255.255.255", RESERVED),
            ("2001:db8::1", RESERVED),
            ("100::1", RESERVED),
            ("4000::1", RESERVED),
            ("224.0.0.1", MULTICAST),
            ("ff02::1", MULTICAST),
            ("::ffff:127.0.0.1", EMBEDDED),
            ("::ffff:8.8.8.8", EMBEDDED),
            ("::127.0.0.1", EMBEDDED),
            ("::ffff:0:127.0.0.1", EMBEDDED),
            ("64:ff9b:1::7f00:1", EMBEDDED),
            ("2001::1", EMBEDDED),
            ("64:ff9b::7f00:1", LOOPBACK),
            ("64:ff9b::a9fe:a9fe", METADATA),
            ("2002:7f00:1::", LOOPBACK),
        ] {
            assert_eq!(refusal(address.parse().unwrap()), Some(why), "{address}");
        }
    }
}
