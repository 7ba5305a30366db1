//! Where a service answers, by region: the rules of botocore 1.44.8 (`endpoint-rule-set-1` of `dynamodb` and `meteringmarketplace`,
//! `partitions`), without endpoints that belong to one account.

use super::operation::Service;

/// A part of AWS with regions, names and accounts of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// How its regions begin.
    prefix: &'static str,
    /// As in an ARN.
    pub(crate) name: &'static str,
    suffix: &'static str,
    dual_stack_suffix: &'static str,
}

const fn part(
    prefix: &'static str,
    name: &'static str,
    suffix: &'static str,
    dual_stack_suffix: &'static str,
) -> Partition {
    Partition { prefix, name, suffix, dual_stack_suffix }
}

static COMMERCIAL: Partition = part("", "aws", "amazonaws.com", "api.aws");

static OTHERS: [Partition; 7] = [
    part("cn-", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    part("us-gov-", "aws-us-gov", "amazonaws.com", "api.aws"),
    part("eusc-", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"),
    part("us-iso-", "aws-iso", "c2s.ic.gov", "api.aws.ic.gov"),
    part("us-isob-", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"),
    part("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    part("us-isof-", "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
];

/// The partition of a region; of one that is not known, the one that all others are beside.
pub(crate) fn partition(region: &str) -> &'static Partition {
    OTHERS.iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(&COMMERCIAL)
}

/// Which of its endpoints is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Variant {
    /// With validated cryptography (FIPS 140).
    pub(super) fips: bool,
    /// Over IPv4 and IPv6.
    pub(super) dual_stack: bool,
}

/// The URL of a service in a region.
pub(super) fn url(service: Service, region: &str, variant: Variant) -> String {
    let partition = partition(region);
    let Variant { fips, dual_stack } = variant;
    let suffix = if dual_stack { partition.dual_stack_suffix } else { partition.suffix };
    let host = match service {
        // Its usual endpoints there are validated.
        Service::DynamoDb if fips && !dual_stack && partition.name == "aws-us-gov" => "dynamodb",
        Service::DynamoDb if fips => "dynamodb-fips",
        Service::DynamoDb => "dynamodb",
        Service::Marketplace if fips => "metering.marketplace-fips",
        Service::Marketplace if dual_stack && ["aws", "aws-cn", "aws-us-gov"].contains(&partition.name) => {
            "metering-marketplace"
        }
        Service::Marketplace if !dual_stack && partition.name == "aws-eusc" => "metering-marketplace",
        Service::Marketplace => "metering.marketplace",
    };
    format!("https://{host}.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What botocore 1.44.8 makes of region and variant: plain, dual stack, FIPS, both.
    const TABLE: &[(&str, [&str; 4], [&str; 4])] = &[
        (
            "eu-west-1",
            [
                "https://dynamodb.eu-west-1.amazonaws.com",
                "https://dynamodb.eu-west-1.api.aws",
                "https://dynamodb-fips.eu-west-1.amazonaws.com",
                "https://dynamodb-fips.eu-west-1.api.aws",
            ],
            [
                "https://metering.marketplace.eu-west-1.amazonaws.com",
                "https://metering-marketplace.eu-west-1.api.aws",
                "https://metering.marketplace-fips.eu-west-1.amazonaws.com",
                "https://metering.marketplace-fips.eu-west-1.api.aws",
            ],
        ),
        (
            "us-east-1",
            [
                "https://dynamodb.us-east-1.amazonaws.com",
                "https://dynamodb.us-east-1.api.aws",
                "https://dynamodb-fips.us-east-1.amazonaws.com",
                "https://dynamodb-fips.us-east-1.api.aws",
            ],
            [
                "https://metering.marketplace.us-east-1.amazonaws.com",
                "https://metering-marketplace.us-east-1.api.aws",
                "https://metering.marketplace-fips.us-east-1.amazonaws.com",
                "https://metering.marketplace-fips.us-east-1.api.aws",
            ],
        ),
        (
            "mx-central-1",
            [
                "https://dynamodb.mx-central-1.amazonaws.com",
                "https://dynamodb.mx-central-1.api.aws",
                "https://dynamodb-fips.mx-central-1.amazonaws.com",
                "https://dynamodb-fips.mx-central-1.api.aws",
            ],
            [
                "https://metering.marketplace.mx-central-1.amazonaws.com",
                "https://metering-marketplace.mx-central-1.api.aws",
                "https://metering.marketplace-fips.mx-central-1.amazonaws.com",
                "https://metering.marketplace-fips.mx-central-1.api.aws",
            ],
        ),
        (
            "ap-newregion-9",
            [
                "https://dynamodb.ap-newregion-9.amazonaws.com",
                "https://dynamodb.ap-newregion-9.api.aws",
                "https://dynamodb-fips.ap-newregion-9.amazonaws.com",
                "https://dynamodb-fips.ap-newregion-9.api.aws",
            ],
            [
                "https://metering.marketplace.ap-newregion-9.amazonaws.com",
                "https://metering-marketplace.ap-newregion-9.api.aws",
                "https://metering.marketplace-fips.ap-newregion-9.amazonaws.com",
                "https://metering.marketplace-fips.ap-newregion-9.api.aws",
            ],
        ),
        (
            "moon-base-1",
            [
                "https://dynamodb.moon-base-1.amazonaws.com",
                "https://dynamodb.moon-base-1.api.aws",
                "https://dynamodb-fips.moon-base-1.amazonaws.com",
                "https://dynamodb-fips.moon-base-1.api.aws",
            ],
            [
                "https://metering.marketplace.moon-base-1.amazonaws.com",
                "https://metering-marketplace.moon-base-1.api.aws",
                "https://metering.marketplace-fips.moon-base-1.amazonaws.com",
                "https://metering.marketplace-fips.moon-base-1.api.aws",
            ],
        ),
        (
            "eusc-de-east-1",
            [
                "https://dynamodb.eusc-de-east-1.amazonaws.eu",
                "https://dynamodb.eusc-de-east-1.api.amazonwebservices.eu",
                "https://dynamodb-fips.eusc-de-east-1.amazonaws.eu",
                "https://dynamodb-fips.eusc-de-east-1.api.amazonwebservices.eu",
            ],
            [
                "https://metering-marketplace.eusc-de-east-1.amazonaws.eu",
                "https://metering.marketplace.eusc-de-east-1.api.amazonwebservices.eu",
                "https://metering.marketplace-fips.eusc-de-east-1.amazonaws.eu",
                "https://metering.marketplace-fips.eusc-de-east-1.api.amazonwebservices.eu",
            ],
        ),
        (
            "cn-north-1",
            [
                "https://dynamodb.cn-north-1.amazonaws.com.cn",
                "https://dynamodb.cn-north-1.api.amazonwebservices.com.cn",
                "https://dynamodb-fips.cn-north-1.amazonaws.com.cn",
                "https://dynamodb-fips.cn-north-1.api.amazonwebservices.com.cn",
            ],
            [
                "https://metering.marketplace.cn-north-1.amazonaws.com.cn",
                "https://metering-marketplace.cn-north-1.api.amazonwebservices.com.cn",
                "https://metering.marketplace-fips.cn-north-1.amazonaws.com.cn",
                "https://metering.marketplace-fips.cn-north-1.api.amazonwebservices.com.cn",
            ],
        ),
        (
            "cn-northwest-1",
            [
                "https://dynamodb.cn-northwest-1.amazonaws.com.cn",
                "https://dynamodb.cn-northwest-1.api.amazonwebservices.com.cn",
                "https://dynamodb-fips.cn-northwest-1.amazonaws.com.cn",
                "https://dynamodb-fips.cn-northwest-1.api.amazonwebservices.com.cn",
            ],
            [
                "https://metering.marketplace.cn-northwest-1.amazonaws.com.cn",
                "https://metering-marketplace.cn-northwest-1.api.amazonwebservices.com.cn",
                "https://metering.marketplace-fips.cn-northwest-1.amazonaws.com.cn",
                "https://metering.marketplace-fips.cn-northwest-1.api.amazonwebservices.com.cn",
            ],
        ),
        (
            "us-gov-west-1",
            [
                "https://dynamodb.us-gov-west-1.amazonaws.com",
                "https://dynamodb.us-gov-west-1.api.aws",
                "https://dynamodb.us-gov-west-1.amazonaws.com",
                "https://dynamodb-fips.us-gov-west-1.api.aws",
            ],
            [
                "https://metering.marketplace.us-gov-west-1.amazonaws.com",
                "https://metering-marketplace.us-gov-west-1.api.aws",
                "https://metering.marketplace-fips.us-gov-west-1.amazonaws.com",
                "https://metering.marketplace-fips.us-gov-west-1.api.aws",
            ],
        ),
        (
            "us-iso-east-1",
            [
                "https://dynamodb.us-iso-east-1.c2s.ic.gov",
                "https://dynamodb.us-iso-east-1.api.aws.ic.gov",
                "https://dynamodb-fips.us-iso-east-1.c2s.ic.gov",
                "https://dynamodb-fips.us-iso-east-1.api.aws.ic.gov",
            ],
            [
                "https://metering.marketplace.us-iso-east-1.c2s.ic.gov",
                "https://metering.marketplace.us-iso-east-1.api.aws.ic.gov",
                "https://metering.marketplace-fips.us-iso-east-1.c2s.ic.gov",
                "https://metering.marketplace-fips.us-iso-east-1.api.aws.ic.gov",
            ],
        ),
        (
            "us-isob-east-1",
            [
                "https://dynamodb.us-isob-east-1.sc2s.sgov.gov",
                "https://dynamodb.us-isob-east-1.api.aws.scloud",
                "https://dynamodb-fips.us-isob-east-1.sc2s.sgov.gov",
                "https://dynamodb-fips.us-isob-east-1.api.aws.scloud",
            ],
            [
                "https://metering.marketplace.us-isob-east-1.sc2s.sgov.gov",
                "https://metering.marketplace.us-isob-east-1.api.aws.scloud",
                "https://metering.marketplace-fips.us-isob-east-1.sc2s.sgov.gov",
                "https://metering.marketplace-fips.us-isob-east-1.api.aws.scloud",
            ],
        ),
        (
            "eu-isoe-west-1",
            [
                "https://dynamodb.eu-isoe-west-1.cloud.adc-e.uk",
                "https://dynamodb.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
                "https://dynamodb-fips.eu-isoe-west-1.cloud.adc-e.uk",
                "https://dynamodb-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
            ],
            [
                "https://metering.marketplace.eu-isoe-west-1.cloud.adc-e.uk",
                "https://metering.marketplace.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
                "https://metering.marketplace-fips.eu-isoe-west-1.cloud.adc-e.uk",
                "https://metering.marketplace-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
            ],
        ),
        (
            "us-isof-south-1",
            [
                "https://dynamodb.us-isof-south-1.csp.hci.ic.gov",
                "https://dynamodb.us-isof-south-1.api.aws.hci.ic.gov",
                "https://dynamodb-fips.us-isof-south-1.csp.hci.ic.gov",
                "https://dynamodb-fips.us-isof-south-1.api.aws.hci.ic.gov",
            ],
            [
                "https://metering.marketplace.us-isof-south-1.csp.hci.ic.gov",
                "https://metering.marketplace.us-isof-south-1.api.aws.hci.ic.gov",
                "https://metering.marketplace-fips.us-isof-south-1.csp.hci.ic.gov",
                "https://metering.marketplace-fips.us-isof-south-1.api.aws.hci.ic.gov",
            ],
        ),
    ];

    #[test]
    fn every_endpoint_is_the_one_that_botocore_finds() {
        for (region, of_dynamodb, of_marketplace) in TABLE {
            for (service, expected) in [(Service::DynamoDb, of_dynamodb), (Service::Marketplace, of_marketplace)] {
                let variants = [(false, false), (false, true), (true, false), (true, true)];
                let found = variants.map(|(fips, dual_stack)| url(service, region, Variant { fips, dual_stack }));
                assert_eq!(found.each_ref().map(String::as_str), *expected);
            }
        }
    }
}
