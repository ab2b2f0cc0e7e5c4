import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { MERGE_PATCH_MEDIA_TYPE, UnsupportedMediaTypeError } from '../common/merge-patch.js';

/** Parses merge patches as strictly as other JSON, for the routes that take them; to all others they are 415. */
export function parseMergePatches(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser<string>(
    MERGE_PATCH_MEDIA_TYPE,
    { parseAs: 'string' },
    (request, body, done) => {
      if (!takesMergePatch(request)) done(new UnsupportedMediaTypeError());
      else void parseJson(request, body, done);
    },
  );
}

function takesMergePatch({ routeOptions }: FastifyRequest): boolean {
  return 'takesMergePatch' in routeOptions.config;
}
