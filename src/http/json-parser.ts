import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { UnsupportedMediaTypeError } from '../common/merge-patch.js';
import { parseStrictJson } from './strict-json.js';

/** JSON is UTF-8 (RFC 8259, section 8.1); saying so does no harm, saying anything else does. */
const UTF8_PARAMETER = /^\s*(;\s*charset\s*=\s*("utf-8"|utf-8)\s*)?$/i;

/**
 * Parses bodies of a media type that is JSON.
 *
 * @param isTaken - whether the route of a request takes the type; where it doesn't, it is 415
 */
export function addJsonParser(
  fastify: FastifyInstance,
  mediaType: string,
  isTaken: (request: FastifyRequest) => boolean = () => true,
): void {
  fastify.addContentTypeParser<Buffer>(mediaType, { parseAs: 'buffer' }, (request, body, done) => {
    const parameters = request.headers['content-type']?.slice(mediaType.length) ?? '';
    if (!UTF8_PARAMETER.test(parameters) || !isTaken(request)) throw new UnsupportedMediaTypeError();
    done(null, parseStrictJson(body));
  });
}
