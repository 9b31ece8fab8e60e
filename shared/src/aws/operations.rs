//! What the operations that Parley calls take, answer and fail with.

use std::fmt::Debug;

use aws_sdk_dynamodb::operation as dynamodb;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;

/// What an operation of the SDK is asked.
pub(crate) trait Asks: Debug + Send + Sync + 'static {
    /// Knows how to write it, and how to read what comes back.
    type Operation: RuntimePlugin + Default;
    /// What is answered.
    type Output: Debug + Send + Sync + 'static;
    /// What is answered when it fails.
    type Error: std::error::Error + Send + Sync + 'static;
}

macro_rules! asks {
    ($($module:path => $operation:ident: $input:ident, $output:ident, $error:ident;)+) => {$(const _: () = {
        use $module::{$error, $input, $operation, $output};

        impl Asks for $input {
            type Operation = $operation;
            type Output = $output;
            type Error = $error;
        }
    };)+};
}

asks! {
    dynamodb::batch_get_item => BatchGetItem: BatchGetItemInput, BatchGetItemOutput, BatchGetItemError;
    dynamodb::batch_write_item => BatchWriteItem: BatchWriteItemInput, BatchWriteItemOutput, BatchWriteItemError;
    dynamodb::delete_item => DeleteItem: DeleteItemInput, DeleteItemOutput, DeleteItemError;
    dynamodb::get_item => GetItem: GetItemInput, GetItemOutput, GetItemError;
    dynamodb::put_item => PutItem: PutItemInput, PutItemOutput, PutItemError;
    dynamodb::query => Query: QueryInput, QueryOutput, QueryError;
    dynamodb::transact_write_items =>
        TransactWriteItems: TransactWriteItemsInput, TransactWriteItemsOutput, TransactWriteItemsError;
    dynamodb::update_item => UpdateItem: UpdateItemInput, UpdateItemOutput, UpdateItemError;
}

#[cfg(feature = "lambda")]
mod management {
    use aws_sdk_apigatewaymanagement::operation;

    use super::Asks;

    asks! {
        operation::delete_connection =>
            DeleteConnection: DeleteConnectionInput, DeleteConnectionOutput, DeleteConnectionError;
        operation::post_to_connection =>
            PostToConnection: PostToConnectionInput, PostToConnectionOutput, PostToConnectionError;
    }
}
