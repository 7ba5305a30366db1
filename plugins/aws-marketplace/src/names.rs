//! Product codes, licences, customers, dimensions and tags: what the service would surely refuse of them. The patterns and lengths are
//! those of the service's model (botocore 1.44.8).
//!
//! A product or a customer of another kind than the sink is configured for is refused here, though the service's own patterns are wide
//! enough to let some through: they would name nobody, or bill somebody twice.

use crate::config::Identity;

/// The most characters of a product code, a customer and a dimension.
const LONGEST: usize = 255;
/// The most characters of a tag's key.
const LONGEST_KEY: usize = 100;
/// The most characters of a tag's value.
const LONGEST_VALUE: usize = 256;
/// The most tags of an allocation.
const MOST_TAGS: usize = 5;

/// Why the service would refuse a product.
pub(crate) fn product(identity: Identity, product: &str) -> Option<String> {
    match identity.is_by_license() {
        true => license(identity, product),
        false => product_code(identity, product),
    }
}

fn product_code(identity: Identity, product: &str) -> Option<String> {
    let name = identity.name();
    if product.is_empty() {
        return Some("it names no product code: give the usage a product, or the sink's config a `product`".to_owned());
    }
    if product.starts_with("arn:") {
        let other = Identity::AccountAndLicense.name();
        return Some(format!(
            "the product {product:?} is a licence, and identity = \"{name}\" bills by product code: a licence is billed with \
             identity = \"{other}\""
        ));
    }
    let is_odd = |c: char| !(c.is_ascii_alphanumeric() || "-/=:_.@".contains(c));
    too_long("the product code", product, LONGEST)
        .or_else(|| odd("the product code", product, is_odd, "letters, digits and -/=:_.@"))
}

fn license(identity: Identity, product: &str) -> Option<String> {
    let name = identity.name();
    if product.is_empty() {
        return Some(format!(
            "it names no licence, which identity = \"{name}\" bills by: give the usage a product, or the sink's config a `product`"
        ));
    }
    if !product.starts_with("arn:") {
        return Some(format!(
            "the product {product:?} is no licence: identity = \"{name}\" bills by the ARN of a licence, arn:aws:license-manager:..."
        ));
    }
    (!is_license(product)).then(|| format!("{product:?} is not the ARN of a licence"))
}

/// Whether a text is an ARN as the service takes it for a licence.
fn is_license(arn: &str) -> bool {
    let is_word = |text: &str, more: &str, longest: usize| {
        text.len() <= longest && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let begins_well = |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next();
    let (Some("arn"), Some(partition), Some(service), Some(region), Some(account), Some(resource)) =
        (part(), part(), part(), part(), part(), part())
    else {
        return false;
    };
    partition.strip_prefix("aws").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_alphabetic() || c == '-'))
        && begins_well(service)
        && is_word(service, "_/.-", 63)
        && is_word(region, "_/.-", 63)
        && is_word(account, "_/.-", 63)
        && begins_well(resource)
        && is_word(resource, ":_/+=,@.-", 1024)
}

/// Why the service would refuse a customer.
pub(crate) fn customer(identity: Identity, customer: &str) -> Option<String> {
    let is_digits = customer.chars().all(|c| c.is_ascii_digit());
    match identity {
        _ if customer.is_empty() => Some("it names no customer".to_owned()),
        Identity::CustomerIdentifier if is_digits && customer.len() == 12 => Some(format!(
            "the customer {customer:?} is an AWS account id, and identity = \"customer-identifier\" bills by what ResolveCustomer gave: \
             an account is billed with identity = \"account-and-product\""
        )),
        Identity::CustomerIdentifier => too_long("the customer identifier", customer, LONGEST),
        Identity::AccountAndProduct | Identity::AccountAndLicense if !is_digits => Some(format!(
            "the customer {customer:?} is no AWS account id, which has digits only; the identifier of an old product's customer is \
             billed with identity = \"customer-identifier\""
        )),
        Identity::AccountAndProduct | Identity::AccountAndLicense => too_long("the account id", customer, LONGEST),
    }
}

/// Why the service would refuse a dimension.
pub(crate) fn dimension(dimension: &str) -> Option<String> {
    match dimension {
        "" => Some("it names no dimension".to_owned()),
        dimension => too_long("the dimension", dimension, LONGEST),
    }
}

/// Why the service would refuse the tags of one allocation.
pub(crate) fn tags(tags: &[(String, String)]) -> Option<String> {
    if tags.len() > MOST_TAGS {
        let names: Vec<&str> = tags.iter().map(|(name, _)| name.as_str()).collect();
        let (count, names) = (tags.len(), names.join(", "));
        return Some(format!("it has {count} tags ({names}), and AWS Marketplace takes {MOST_TAGS}"));
    }
    let twice = |at: usize, name: &str| tags.iter().take(at).any(|(before, _)| before == name);
    tags.iter().enumerate().find_map(|(at, (name, value))| {
        if name.is_empty() {
            return Some(format!("a tag of it has no name, and the value {value:?}"));
        }
        if value.is_empty() {
            return Some(format!("the tag {name:?} is empty, and AWS Marketplace takes no empty tags"));
        }
        if twice(at, name) {
            return Some(format!("the tag {name:?} stands twice"));
        }
        let what = format!("the value of the tag {name:?}");
        too_long("the tag", name, LONGEST_KEY)
            .or_else(|| too_long(&what, value, LONGEST_VALUE))
            .or_else(|| odd("the tag", name, is_odd_in_tag, TAG))
            .or_else(|| odd(&what, value, is_odd_in_tag, TAG))
    })
}

/// `^[a-zA-Z0-9+ -=._:\/@]+$`, in words. The ` -=` in it is a range, from the space to the equals sign.
const TAG: &str = "letters, digits, spaces and !\"#$%&'()*+,-./:;<=_@";

fn is_odd_in_tag(c: char) -> bool {
    !(c.is_ascii_alphabetic() || (' '..='=').contains(&c) || c == '_' || c == '@')
}

fn too_long(what: &str, text: &str, most: usize) -> Option<String> {
    let length = text.chars().count();
    (length > most).then(|| format!("{what} {text:?} has {length} characters, and AWS Marketplace takes {most}"))
}

fn odd(what: &str, text: &str, is_odd: impl Fn(char) -> bool, allowed: &str) -> Option<String> {
    let odd = text.chars().find(|&c| is_odd(c))?;
    Some(format!("{what} {text:?} holds {odd:?}, and AWS Marketplace takes {allowed}"))
}
