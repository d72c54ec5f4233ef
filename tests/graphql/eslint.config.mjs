// The whole of graphql-eslint for a schema, less what this schema does on purpose; the operations are those of the documents.
import graphql from '@graphql-eslint/eslint-plugin';

const linting = (files, config, rules) => ({
  files,
  languageOptions: { parser: graphql.parser },
  plugins: { '@graphql-eslint': graphql },
  rules: { ...config.rules, ...rules },
});

export default [
  linting(['schema.graphql'], graphql.configs['flat/schema-all'], {
    ...graphql.configs['flat/schema-relay'].rules,
    // Lists are read forwards only.
    '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
    // A list that cannot grow needs no edges.
    '@graphql-eslint/relay-edge-types': [
      'error',
      { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
    ],
    // Fields stand in the order in which they are read.
    '@graphql-eslint/alphabetize': 'off',
    // Objects with an identity implement Node; a listing, a proof or a payload has none.
    '@graphql-eslint/strict-id-in-types': 'off',
    // A field that anybody may ask for always answers, or the request fails as a whole.
    '@graphql-eslint/require-nullable-result-in-root': 'off',
    // A payload has what the mutation changed.
    '@graphql-eslint/require-field-of-type-query-in-mutation-result': 'off',
    // There is a mutation and a subscription.
    '@graphql-eslint/no-root-type': 'off',
    // A review decision's decision is its field's name in every export.
    '@graphql-eslint/no-typename-prefix': 'off',
    // Takes the built-in @specifiedBy for a type that nothing uses.
    '@graphql-eslint/no-unreachable-types': 'off',
  }),
  linting(['documents/*.graphql'], graphql.configs['flat/operations-recommended'], {
    // Shown to be copied, one by one.
    '@graphql-eslint/require-selections': 'off',
  }),
];
