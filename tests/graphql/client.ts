// node client.ts URL TOKEN: a program in TypeScript whose types were generated from the schema. Prints the names of the
// store's apps with their latest versions.
import { graphql } from './generated/gql.ts';
import type { TypedDocumentString } from './generated/graphql.ts';

declare const process: { argv: string[] };

const storeNames = graphql(`
  query StoreNames($first: Int) {
    store(first: $first) {
      nodes {
        displayName
        publishedAt
        latestVersion {
          number
        }
      }
    }
  }
`);

async function ask<Data, Variables>(document: TypedDocumentString<Data, Variables>, variables: Variables): Promise<Data> {
  const [url, token] = process.argv.slice(2);
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: document, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

const { store } = await ask(storeNames, { first: 20 });
for (const { displayName, latestVersion } of store.nodes) {
  const name: string = displayName;
  console.log(`${name} ${latestVersion?.number}`);
}
