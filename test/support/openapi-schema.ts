/** The members of a schema of OpenAPI 3.1 that the document uses. */
export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
}

const formats: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
  email: /^[^@\s]+@[^@\s]+$/,
};

/** What of a value is not as the schema says; a member that it doesn't describe is a fault too. */
export function schemaFaults(
  value: unknown,
  schema: Schema,
  resolve: (reference: string) => unknown,
  at = '',
): string[] {
  if (schema.$ref !== undefined) return schemaFaults(value, resolve(schema.$ref) as Schema, resolve, at);
  if (schema.allOf) return schema.allOf.flatMap((part) => schemaFaults(value, part, resolve, at));
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => isOfType(value, type)))
    return [`${at} is no ${types.join('/')}`];
  const faults = schema.enum?.includes(value) === false ? [`${at} is none of ${schema.enum.join()}`] : [];
  if (typeof value === 'string') faults.push(...textFaults(value, schema, at));
  if (typeof value === 'number' && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value)))
    faults.push(`${at} is out of range`);
  if (Array.isArray(value)) {
    const { items = {} } = schema;
    return [
      ...faults,
      ...value.flatMap((item, index) => schemaFaults(item, items, resolve, `${at}/${index}`)),
    ];
  }
  if (typeof value !== 'object' || value === null) return faults;
  return [...faults, ...memberFaults(value as Record<string, unknown>, schema, resolve, at)];
}

function memberFaults(
  value: Readonly<Record<string, unknown>>,
  { properties = {}, required = [], additionalProperties = false, maxProperties = Infinity }: Schema,
  resolve: (reference: string) => unknown,
  at: string,
): string[] {
  const missing = required.filter((name) => !(name in value)).map((name) => `${at}/${name} is missing`);
  const tooMany = Object.keys(value).length > maxProperties ? [`${at} has too many members`] : [];
  const members = Object.entries(value).flatMap(([name, member]) => {
    const described = properties[name] ?? additionalProperties;
    if (typeof described === 'boolean') return described ? [] : [`${at}/${name} is not described`];
    return schemaFaults(member, described, resolve, `${at}/${name}`);
  });
  return [...missing, ...tooMany, ...members];
}

function textFaults(value: string, schema: Schema, at: string): string[] {
  const { format = '', pattern = '', minLength = 0, maxLength = Infinity } = schema;
  const isGood =
    (formats[format]?.test(value) ?? true) &&
    new RegExp(pattern).test(value) &&
    value.length >= minLength &&
    value.length <= maxLength;
  return isGood ? [] : [`${at} has another form`];
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  return typeof value === type && value !== null && !Array.isArray(value);
}
