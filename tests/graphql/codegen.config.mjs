// A typed client, made of the schema and of the operations in the documents and in client.ts.
const scalars = { DateTime: 'string', JSON: 'unknown', LogPosition: 'string', SemVer: 'string', Sha256: 'string', UUID: 'string' };

export default {
  schema: 'schema.graphql',
  documents: ['documents/*.graphql', 'client.ts'],
  importExtension: '.ts',
  generates: {
    'generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { documentMode: 'string', enumsAsTypes: true, scalars, strictScalars: true, useTypeImports: true },
    },
  },
};
