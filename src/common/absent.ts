import { ValidateIf } from 'class-validator';

/** The field may be left out. Unlike with `IsOptional`, a null is no absence and is checked. */
export const Absent = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);
