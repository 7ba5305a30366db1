//! The values that a column may have: FOCUS 1.2, "Allowed values" of each column, to the letter. The model of rules 1.2.0.1 has the same,
//! but for CommitmentDiscountStatus: see there.

use drops::nearest;

/// ChargeCategory.
pub(crate) const CATEGORIES: &[&str] = &[USAGE, PURCHASE, TAX, "Credit", "Adjustment"];
pub(crate) const USAGE: &str = "Usage";
pub(crate) const PURCHASE: &str = "Purchase";
pub(crate) const TAX: &str = "Tax";

/// ChargeClass, where it is not empty.
pub(crate) const CLASSES: &[&str] = &[CORRECTION];
pub(crate) const CORRECTION: &str = "Correction";

/// ChargeFrequency.
pub(crate) const FREQUENCIES: &[&str] = &["One-Time", "Recurring", USAGE_BASED];
pub(crate) const USAGE_BASED: &str = "Usage-Based";

/// PricingCategory.
pub(crate) const PRICING_CATEGORIES: &[&str] = &["Standard", "Dynamic", "Committed", "Other"];

/// CommitmentDiscountCategory.
pub(crate) const COMMITMENT_CATEGORIES: &[&str] = &["Spend", "Usage"];

/// CommitmentDiscountStatus. The model of rules 1.2.0.1 asks for Active, Expired or Pending (CommitmentDiscountStatus-C-005-M), which the
/// specification never had, and speaks of Used and Unused itself (CommitmentDiscountQuantity-C-014-C and -015-C).
pub(crate) const COMMITMENT_STATUSES: &[&str] = &["Used", UNUSED];
pub(crate) const UNUSED: &str = "Unused";

/// CapacityReservationStatus.
pub(crate) const RESERVATION_STATUSES: &[&str] = &["Used", UNUSED];

/// ServiceCategory.
pub(crate) const SERVICE_CATEGORIES: &[&str] = &[
    "AI and Machine Learning",
    "Analytics",
    "Business Applications",
    "Compute",
    "Databases",
    "Developer Tools",
    "Multicloud",
    "Identity",
    "Integration",
    "Internet of Things",
    "Management and Governance",
    "Media",
    "Migration",
    "Mobile",
    "Networking",
    "Security",
    "Storage",
    "Web",
    "Other",
];

/// ServiceSubcategory.
pub(crate) const SERVICE_SUBCATEGORIES: &[&str] = &[
    "AI Platforms",
    "Bots",
    "Generative AI",
    "Machine Learning",
    "Natural Language Processing",
    "Other (AI and Machine Learning)",
    "Analytics Platforms",
    "Business Intelligence",
    "Data Processing",
    "Search",
    "Streaming Analytics",
    "Other (Analytics)",
    "Productivity and Collaboration",
    "Other (Business Applications)",
    "Containers",
    "End User Computing",
    "Quantum Compute",
    "Serverless Compute",
    "Virtual Machines",
    "Other (Compute)",
    "Caching",
    "Data Warehouses",
    "Ledger Databases",
    "NoSQL Databases",
    "Relational Databases",
    "Time Series Databases",
    "Other (Databases)",
    "Developer Platforms",
    "Continuous Integration and Deployment",
    "Development Environments",
    "Source Code Management",
    "Quality Assurance",
    "Other (Developer Tools)",
    "Multicloud Integration",
    "Other (Multicloud)",
    "Identity and Access Management",
    "Other (Identity)",
    "API Management",
    "Messaging",
    "Workflow Orchestration",
    "Other (Integration)",
    "IoT Analytics",
    "IoT Platforms",
    "Other (Internet of Things)",
    "Architecture",
    "Compliance",
    "Cost Management",
    "Data Governance",
    "Disaster Recovery",
    "Endpoint Management",
    "Observability",
    "Support",
    "Other (Management and Governance)",
    "Content Creation",
    "Gaming",
    "Media Streaming",
    "Mixed Reality",
    "Other (Media)",
    "Data Migration",
    "Resource Migration",
    "Other (Migration)",
    "Other (Mobile)",
    "Application Networking",
    "Content Delivery",
    "Network Connectivity",
    "Network Infrastructure",
    "Network Routing",
    "Network Security",
    "Other (Networking)",
    "Secret Management",
    "Security Posture Management",
    "Threat Detection and Response",
    "Other (Security)",
    "Backup Storage",
    "Block Storage",
    "File Storage",
    "Object Storage",
    "Storage Platforms",
    "Other (Storage)",
    "Application Platforms",
    "Other (Web)",
    "Other (Other)",
];

/// How many of the subcategories each category has: they stand there in the order of the categories.
const SUBCATEGORIES_OF_EACH: &[usize] = &[6, 6, 2, 6, 7, 6, 2, 2, 4, 3, 9, 5, 3, 1, 7, 4, 6, 2, 1];

/// The category that a subcategory belongs to, if it is one.
pub(crate) fn category_of(subcategory: &str) -> Option<&'static str> {
    let mut at = SERVICE_SUBCATEGORIES.iter().position(|known| *known == subcategory)?;
    for (category, count) in SERVICE_CATEGORIES.iter().zip(SUBCATEGORIES_OF_EACH) {
        if at < *count {
            return Some(category);
        }
        at -= count;
    }
    None
}

/// The subcategory for what has no other: each category has one, called so.
pub(crate) fn rest_of(category: &str) -> String {
    format!("Other ({category})")
}

/// Why this is none of the values; nothing if it is one.
pub(crate) fn objection(text: &str, known: &[&'static str]) -> Option<String> {
    if known.contains(&text) {
        return None;
    }
    let shown = text.escape_debug();
    Some(match nearest(text, known.iter().copied()) {
        Some(meant) => format!("\"{shown}\" is none of its values; {meant} is one"),
        None => format!("\"{shown}\" is none of its values, which are: {}", known.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subcategory_has_one_category() {
        assert_eq!(SUBCATEGORIES_OF_EACH.iter().sum::<usize>(), SERVICE_SUBCATEGORIES.len());
        for (subcategory, category) in [
            ("AI Platforms", Some("AI and Machine Learning")),
            ("Relational Databases", Some("Databases")),
            ("Multicloud Integration", Some("Multicloud")),
            ("Other (Web)", Some("Web")),
            ("Other (Other)", Some("Other")),
            ("Other", None),
        ] {
            assert_eq!(category_of(subcategory), category, "{subcategory}");
        }
        // Each category has one for the rest, named after it.
        assert!(SERVICE_CATEGORIES.iter().all(|category| category_of(&rest_of(category)) == Some(category)));
    }

    #[test]
    fn values_are_taken_to_the_letter() {
        assert_eq!(CATEGORIES.iter().find_map(|known| objection(known, CATEGORIES)), None);
        assert_eq!(objection("usage", CATEGORIES).as_deref(), Some("\"usage\" is none of its values; Usage is one"));
        assert!(
            objection("Discount", CATEGORIES)
                .is_some_and(|said| said.contains("Usage, Purchase, Tax, Credit, Adjustment"))
        );
    }
}
