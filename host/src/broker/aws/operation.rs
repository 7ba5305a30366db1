//! The services and operations that the host knows. An operation that is not here cannot be called: the host could not tell what it
//! reaches.
//!
//! Actions are IAM's, operations are the API's. They differ for a transaction, which IAM allows by what it does ("Using IAM with
//! DynamoDB transactions", DynamoDB developer guide).

use crate::broker::identity::ServiceNames;

/// A service that plugins can call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Service {
    DynamoDb,
    Marketplace,
}

impl Service {
    pub(crate) const ALL: [Service; 2] = [Service::DynamoDb, Service::Marketplace];

    /// As IAM, the signature and plugins name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Service::DynamoDb => "dynamodb",
            Service::Marketplace => "aws-marketplace",
        }
    }

    /// As the environment and the configuration files name it.
    pub(super) fn names(self) -> ServiceNames {
        match self {
            Service::DynamoDb => ServiceNames { id: "DynamoDB", endpoint: "AWS_ENDPOINT_URL_DYNAMODB" },
            Service::Marketplace => {
                ServiceNames { id: "Marketplace Metering", endpoint: "AWS_ENDPOINT_URL_MARKETPLACE_METERING" }
            }
        }
    }

    /// What stands before an operation's name in `X-Amz-Target`, and the version of the JSON protocol.
    pub(super) fn protocol(self) -> (&'static str, &'static str) {
        match self {
            Service::DynamoDb => ("DynamoDB_20120810", "application/x-amz-json-1.0"),
            Service::Marketplace => ("AWSMPMeteringService", "application/x-amz-json-1.1"),
        }
    }
}

/// An action that can be granted, by IAM's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Action {
    BatchGetItem,
    BatchWriteItem,
    ConditionCheckItem,
    DeleteItem,
    DescribeTable,
    GetItem,
    PutItem,
    Query,
    Scan,
    UpdateItem,
    BatchMeterUsage,
}

impl Action {
    pub(crate) const ALL: [Action; 11] = [
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::ConditionCheckItem,
        Action::DeleteItem,
        Action::DescribeTable,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::Scan,
        Action::UpdateItem,
        Action::BatchMeterUsage,
    ];

    /// With its service: `dynamodb:Query`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Action::BatchGetItem => "dynamodb:BatchGetItem",
            Action::BatchWriteItem => "dynamodb:BatchWriteItem",
            Action::ConditionCheckItem => "dynamodb:ConditionCheckItem",
            Action::DeleteItem => "dynamodb:DeleteItem",
            Action::DescribeTable => "dynamodb:DescribeTable",
            Action::GetItem => "dynamodb:GetItem",
            Action::PutItem => "dynamodb:PutItem",
            Action::Query => "dynamodb:Query",
            Action::Scan => "dynamodb:Scan",
            Action::UpdateItem => "dynamodb:UpdateItem",
            Action::BatchMeterUsage => "aws-marketplace:BatchMeterUsage",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }

    pub(crate) fn service(self) -> Service {
        match self {
            Action::BatchMeterUsage => Service::Marketplace,
            _ => Service::DynamoDb,
        }
    }

    /// Whether it can be done on an index alone.
    pub(crate) fn is_of_indexes(self) -> bool {
        matches!(self, Action::Query | Action::Scan)
    }
}

/// Where an operation's body names what it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `TableName`.
    Table(Action),
    /// `TableName`, and `IndexName` if it is an index of it.
    TableOrIndex(Action),
    /// The keys of `RequestItems`.
    Keys(Action),
    /// `TransactItems`, each of which holds one of these parts, with its `TableName`.
    Parts(&'static [(&'static str, Action)]),
    /// `ProductCode`, and `LicenseArn` of each of the `UsageRecords`.
    Products(Action),
}

/// An operation of a service.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) service: Service,
    pub(super) name: &'static str,
    /// Whether it changes anything. What does never leaves in a dry run.
    pub(super) writes: bool,
    pub(super) place: Place,
}

const fn read(name: &'static str, place: Place) -> Operation {
    Operation { service: Service::DynamoDb, name, writes: false, place }
}

const fn write(name: &'static str, place: Place) -> Operation {
    Operation { service: Service::DynamoDb, name, writes: true, place }
}

static OPERATIONS: &[Operation] = &[
    read("GetItem", Place::Table(Action::GetItem)),
    write("PutItem", Place::Table(Action::PutItem)),
    write("UpdateItem", Place::Table(Action::UpdateItem)),
    write("DeleteItem", Place::Table(Action::DeleteItem)),
    read("Query", Place::TableOrIndex(Action::Query)),
    read("Scan", Place::TableOrIndex(Action::Scan)),
    read("DescribeTable", Place::Table(Action::DescribeTable)),
    read("BatchGetItem", Place::Keys(Action::BatchGetItem)),
    write("BatchWriteItem", Place::Keys(Action::BatchWriteItem)),
    write(
        "TransactWriteItems",
        Place::Parts(&[
            ("Put", Action::PutItem),
            ("Update", Action::UpdateItem),
            ("Delete", Action::DeleteItem),
            ("ConditionCheck", Action::ConditionCheckItem),
        ]),
    ),
    read("TransactGetItems", Place::Parts(&[("Get", Action::GetItem)])),
    Operation {
        service: Service::Marketplace,
        name: "BatchMeterUsage",
        writes: true,
        place: Place::Products(Action::BatchMeterUsage),
    },
];

impl Operation {
    pub(super) fn named(service: &str, name: &str) -> Option<&'static Operation> {
        OPERATIONS.iter().find(|operation| operation.service.name() == service && operation.name == name)
    }
}

/// The names of a service's operations.
pub(super) fn names(service: Service) -> Vec<&'static str> {
    OPERATIONS.iter().filter(|operation| operation.service == service).map(|operation| operation.name).collect()
}

/// Whether a name is of an action or operation of PartiQL, whose statements name their tables in a text that the host does not read.
pub(super) fn is_partiql(name: &str) -> bool {
    name.starts_with("PartiQL") || ["ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"].contains(&name)
}

/// The actions that a transaction of this name is granted by.
pub(super) fn parts_of(name: &str) -> Option<Vec<&'static str>> {
    match Operation::named(Service::DynamoDb.name(), name)?.place {
        Place::Parts(parts) => Some(parts.iter().map(|(_, action)| action.name()).collect()),
        _ => None,
    }
}
