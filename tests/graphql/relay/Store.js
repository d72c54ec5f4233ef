// What a page of a Relay application asks for: connections that are paged and kept, fragments that are fetched again by id,
// a mutation that changes a connection, a subscription.
import { graphql } from 'react-relay';

export const query = graphql`
  query StoreQuery($search: String) {
    ...Store_apps @arguments(search: $search)
  }
`;

export const apps = graphql`
  fragment Store_apps on Query
  @argumentDefinitions(
    search: { type: "String" }
    first: { type: "Int", defaultValue: 20 }
    after: { type: "String" }
  )
  @refetchable(queryName: "StorePaginationQuery") {
    store(search: $search, first: $first, after: $after) @connection(key: "Store_store") {
      edges {
        node {
          displayName
          app {
            id
            ...Store_versions
          }
        }
      }
    }
  }
`;

export const versions = graphql`
  fragment Store_versions on App
  @argumentDefinitions(first: { type: "Int", defaultValue: 10 }, after: { type: "String" })
  @refetchable(queryName: "StoreVersionsPaginationQuery") {
    versions(first: $first, after: $after) @connection(key: "Store_versions") {
      edges {
        node {
          number
          stage
        }
      }
    }
  }
`;

export const release = graphql`
  subscription StoreReleaseSubscription($id: ID!) {
    releaseChanged(id: $id) {
      id
      status
      operation
    }
  }
`;

export const createCategory = graphql`
  mutation StoreCreateCategoryMutation($input: CreateCategoryInput!) {
    createCategory(input: $input) {
      category {
        id
        name
      }
      userErrors {
        code
        message
      }
    }
  }
`;
