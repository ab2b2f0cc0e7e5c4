type Method = (...args: unknown[]) => Promise<unknown>;

/** Does `work` at the next call of the method, before what the method does. */
export function beforeNext(target: object, name: string, work: () => Promise<unknown>): void {
  replaceOnce(target, name, async (call) => {
    await work();
    return call();
  });
}

/** Does `work` at the next call of the method, once it is done and before its caller goes on. */
export function afterNext(target: object, name: string, work: () => Promise<unknown>): void {
  replaceOnce(target, name, async (call) => {
    const result = await call();
    await work();
    return result;
  });
}

function replaceOnce(
  target: object,
  name: string,
  act: (call: () => Promise<unknown>) => Promise<unknown>,
): void {
  const method = Reflect.get(target, name) as Method;
  Reflect.set(target, name, (...args: unknown[]) => {
    Reflect.deleteProperty(target, name);
    return act(() => method.apply(target, args));
  });
}
