import { type FastifyInstance } from 'fastify';
import { MERGE_PATCH_MEDIA_TYPE, takesMergePatch } from '../common/merge-patch.js';
import { addJsonParser } from './json-parser.js';

/** Parses merge patches as strictly as other JSON, for the routes that take them; to all others they are 415. */
export function parseMergePatches(fastify: FastifyInstance): void {
  addJsonParser(fastify, MERGE_PATCH_MEDIA_TYPE, takesMergePatch);
}
