//! What serde's derived code asks, answered from a value: fields come in the order that a type has them, and variants by their number,
//! so that no type compares names. Each of them would bring code of its own for that, which a first visit would have to load. In return no
//! type may have `alias`, `flatten`, `tag` or `untagged`; the tests beside this read what is written of every type.

use std::slice;

use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer as _, SeqAccess, VariantAccess, Visitor,
        value::U64Deserializer,
    },
    forward_to_deserialize_any,
};

use super::{Unreadable, Value};

/// Whole numbers up to here, and from its negative on, are exact.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// Reads a value. What a type has no field for is passed over.
pub(super) fn read<'de, T: Deserialize<'de>>(value: Value) -> Result<T, Unreadable> {
    T::deserialize(Reader(value))
}

struct Reader(Value);

impl Reader {
    fn whole(&self) -> Result<i64, Unreadable> {
        let number = self.0.number().ok_or(Unreadable::NOWHERE)?;
        #[expect(clippy::cast_possible_truncation, reason = "it is looked at whether it was cut")]
        let whole = number as i64;
        #[expect(clippy::cast_precision_loss, reason = "it is looked at whether it was lost")]
        let same = whole as f64 == number && number.abs() <= MAX_SAFE;
        if same { Ok(whole) } else { Err(Unreadable::NOWHERE) }
    }

    fn items(&self) -> Result<Items, Unreadable> {
        let items = self.0.items().ok_or(Unreadable::NOWHERE)?;
        Ok(Items(items.into_iter()))
    }

    /// What an enum is: the number of its variant, and what that holds.
    fn variant(self, variants: &[&str]) -> Result<Variant, Unreadable> {
        let (name, content) = match self.0.text() {
            Some(name) => (name, None),
            None => {
                let name = self.0.only_field().ok_or(Unreadable::NOWHERE)?;
                let content = self.0.field(&name);
                (name, Some(Self(content)))
            }
        };
        let number = variants.iter().position(|known| *known == name);
        Ok(Variant {
            number: number.ok_or(Unreadable::NOWHERE)?,
            content,
        })
    }
}

/// serde's conversions check whether a number fits.
macro_rules! whole_numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.visit_i64(self.whole()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Unreadable;

    whole_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_f64(self.0.number().ok_or(Unreadable::NOWHERE)?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_bool(self.0.bool().ok_or(Unreadable::NOWHERE)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_string(self.0.text().ok_or(Unreadable::NOWHERE)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_string(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if self.0.is_nothing() {
            visitor.visit_unit()
        } else {
            Err(Unreadable::NOWHERE)
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if self.0.is_nothing() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        if !self.0.is_object() {
            return Err(Unreadable::NOWHERE);
        }
        let mut fields = Fields {
            of: self.0,
            names: fields.iter(),
            last: "",
        };
        let read = visitor.visit_seq(&mut fields);
        read.map_err(|unreadable| unreadable.or_at(fields.last))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_enum(self.variant(variants)?)
    }

    /// For types that leave it to the JSON what they are, of which a page reads none.
    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Unreadable> {
        Err(Unreadable::NOWHERE)
    }

    forward_to_deserialize_any! { bytes byte_buf char i128 identifier ignored_any map tuple_struct u128 unit_struct }
}

/// The items of an array.
struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
        let next = self.0.next();
        next.map(|value| seed.deserialize(Reader(value))).transpose()
    }
}

/// The fields of an object, in the order of the type.
struct Fields {
    of: Value,
    names: slice::Iter<'static, &'static str>,
    /// The one that is read.
    last: &'static str,
}

impl Fields {
    fn next(&mut self) -> Option<Value> {
        self.last = self.names.next()?;
        Some(self.of.field(self.last))
    }
}

impl<'de> SeqAccess<'de> for Fields {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
        let Some(value) = self.next() else { return Ok(None) };
        let absent = value.is_absent();
        match seed.deserialize(Reader(value)) {
            // No option: the type has a default for it, or says that it is missing.
            Err(_) if absent => Ok(None),
            read => read.map(Some),
        }
    }
}

/// A variant of an enum.
struct Variant {
    number: usize,
    /// `None`: only its name was there.
    content: Option<Reader>,
}

impl Variant {
    fn content(self) -> Result<Reader, Unreadable> {
        self.content.ok_or(Unreadable::NOWHERE)
    }
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Unreadable> {
        let number: U64Deserializer<Unreadable> = (self.number as u64).into_deserializer();
        Ok((seed.deserialize(number)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<(), Unreadable> {
        self.content.map_or(Ok(()), <()>::deserialize)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unreadable> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.content()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.content()?.deserialize_struct("", fields, visitor)
    }
}
