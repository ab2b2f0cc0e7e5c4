import { type FastifyInstance } from 'fastify';
import { type ServerResponse } from 'node:http';

/** Answers what a client wants to hear before it sends the body (RFC 9110, section 10.1.1). */
export function answerExpectations(fastify: FastifyInstance): void {
  const { server } = fastify;
  const waiting = new WeakSet<ServerResponse>();
  server.on('checkContinue', (request, response) => {
    waiting.add(response);
    server.emit('request', request, response);
  });
  // Not before: a request that its header fields are refused for gets the refusal instead.
  fastify.addHook('preParsing', (_request, { raw }, _payload, done) => {
    if (waiting.delete(raw)) raw.writeContinue();
    done();
  });
  // One that nobody knows is ignored: Node's own 417 would have no body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}
