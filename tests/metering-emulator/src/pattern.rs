//! The patterns of the published model, by hand: each must fit the whole text.
//!
//! Source of all: `meteringmarketplace/2016-01-14/service-2.json` of botocore 1.44.8.

/// `^[0-9]+$`
pub(crate) fn is_account(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `^[-a-zA-Z0-9/=:_.@]*$`
pub(crate) fn is_product_code(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/=:_.@".contains(&byte))
}

/// `^[a-zA-Z0-9+ -=._:\/@]+$`, where ` -=` is a range: from the space to the equals sign, so that most ASCII punctuation
/// may stand in a tag. The author may have meant three characters; this is what is published.
pub(crate) fn is_tag(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphabetic() || (b' '..=b'=').contains(&byte) || b"_@".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// `^arn:aws[a-zA-Z-]*:[A-Za-z0-9][A-Za-z0-9_/.-]{0,62}:[A-Za-z0-9_/.-]{0,63}:[A-Za-z0-9_/.-]{0,63}:[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]{0,1023}$`
pub(crate) fn is_license_arn(text: &str) -> bool {
    // None of the first five may hold a colon, so that splitting is exact.
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let all = |part: &str, more: &[u8]| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte));
    let name = |part: &str, most: usize| part.len() <= most && all(part, b"_/.-");
    let begins = |part: &str| part.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    *arn == "arn"
        && partition.strip_prefix("aws").is_some_and(letters)
        && begins(service)
        && name(service, 63)
        && name(region, 63)
        && name(account, 63)
        && begins(resource)
        && resource.len() <= 1024
        && all(resource, b":_/+=,@.-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_license_arn_has_six_parts() {
        let good = [
            "arn:aws:license-manager::294406891311:license:l-df7b9cd93a7d4a3d8e8f6c0c5b0c5b0c",
            "arn:aws-us-gov:license-manager:us-gov-west-1:1:a",
            "arn:aws:s:::r",
            &format!("arn:aws:{}:{}::{}", "s".repeat(63), "r".repeat(63), "x".repeat(1024)),
        ];
        for text in good {
            assert!(is_license_arn(text), "{text}");
        }
        let bad = [
            "",
            "arn:aws:license-manager::1",
            "arn:aws:license-manager::1:",
            "arn:aws::::license",
            "arn:aws1:license-manager::1:l",
            "arn:gcp:license-manager::1:l",
            "ARN:aws:license-manager::1:l",
            "arn:aws:-x::1:l",
            "arn:aws:license-manager::1:-l",
            "arn:aws:license-manager::1:l\n",
            "arn:aws:license-manager:: 1:l",
            &format!("arn:aws:{}:::l", "s".repeat(64)),
            &format!("arn:aws:s:::{}", "x".repeat(1025)),
        ];
        for text in bad {
            assert!(!is_license_arn(text), "{text}");
        }
    }

    #[test]
    fn a_tag_may_hold_what_lies_between_the_space_and_the_equals_sign() {
        assert!(is_tag("gold + silver - 50% (of $9); a=b, c:d/e._@!\"#&'*<"));
        for text in ["", ">", "?", "[x]", "a\tb", "é", "{}", "~", "^", "a\n"] {
            assert!(!is_tag(text), "{text:?}");
        }
    }

    #[test]
    fn an_account_is_digits_and_a_product_code_a_few_signs_more() {
        assert!(is_account("123456789012") && !is_account("") && !is_account("12a") && !is_account("١"));
        assert!(is_product_code("abc-1/=:_.@") && is_product_code("") && !is_product_code("a b"));
    }
}
