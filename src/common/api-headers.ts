/** Descriptions of header fields that some routes send, for the description of the API. */
export const ETAG = { ETag: { description: 'for If-Match', schema: { type: 'string' } } } as const;
export const LOCATION = { Location: { description: 'its path', schema: { type: 'string' } } } as const;
export const ETAG_AND_LOCATION = { ...ETAG, ...LOCATION } as const;
