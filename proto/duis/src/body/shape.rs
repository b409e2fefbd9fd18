//! Declaring groups and choices of elements: the type, and beside each member the name of its element in DUIS.

/// A group of elements in the order of the schema, as a struct.
///
/// `member: Type = "Element"` is an element; `= wrap "Element"` one whose name is left out of the names of fields below it;
/// `member: Type = choice` stands for one of the elements of a `choice!`.
macro_rules! group {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$fmeta:meta])* $field:ident: $type:ty = $($how:ident)? $($element:literal)?,)*
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$fmeta])* pub $field: $type,)*
        }

        impl $crate::body::part::Value for $name {
            fn list(at: &$crate::body::part::At, known: &mut Vec<$crate::body::KnownField>) {
                $(member!(list $type, at, known; $($how)? $($element)?);)*
            }

            fn given(fields: &$crate::body::fields::FieldReader<'_>, at: &$crate::body::part::At) -> bool {
                false $(|| member!(given $type, at, fields; $($how)? $($element)?))*
            }

            fn take(
                fields: &mut $crate::body::fields::FieldReader<'_>,
                at: &$crate::body::part::At,
            ) -> Result<Self, $crate::body::FieldError> {
                Ok($name { $($field: member!(take $type, at, fields; $($how)? $($element)?),)* })
            }

            fn give(
                &self,
                at: &$crate::body::part::At,
                fields: &mut std::collections::BTreeMap<String, String>,
            ) {
                $(member!(give self.$field, at, fields; $($how)? $($element)?);)*
            }

            fn read(
                element: &$crate::xml::Reading<'_>,
                attributes: &[&str],
            ) -> Result<Self, $crate::xml::SchemaError> {
                let mut children = element.children(attributes)?;
                let group = $name { $($field: member!(read $type, children; $($how)? $($element)?),)* };
                children.finish()?;
                Ok(group)
            }

            fn write(&self, element: $crate::xml::Element) -> $crate::xml::Element {
                element $(.with_all(member!(write self.$field; $($how)? $($element)?)))*
            }

            fn execution(&self) -> Option<jiff::Timestamp> {
                None $(.or(member!(when $field self.$field)))*
            }

            fn sample(draw: &mut $crate::examples::Draw<'_>) -> Self {
                $name { $($field: member!(sample draw; $($how)? $($element)?),)* }
            }
        }
    )+};
}

/// One member of a group: an element, an element that only wraps, or one of the elements of a choice.
macro_rules! member {
    (list $type:ty, $at:ident, $known:ident; $element:literal) => {
        <$type as $crate::body::part::Part>::list(&$at.child($element), $known)
    };
    (list $type:ty, $at:ident, $known:ident; wrap $element:literal) => {
        <$type as $crate::body::part::Part>::list(&$at.wrapper($element), $known)
    };
    (list $type:ty, $at:ident, $known:ident; choice) => {
        <$type as $crate::body::part::Choice>::list_choice($at, $known)
    };
    (given $type:ty, $at:ident, $fields:ident; $element:literal) => {
        <$type as $crate::body::part::Part>::given($fields, &$at.child($element))
    };
    (given $type:ty, $at:ident, $fields:ident; wrap $element:literal) => {
        <$type as $crate::body::part::Part>::given($fields, &$at.wrapper($element))
    };
    (given $type:ty, $at:ident, $fields:ident; choice) => {
        <$type as $crate::body::part::Choice>::given_choice($fields, $at)
    };
    (take $type:ty, $at:ident, $fields:ident; $element:literal) => {
        <$type as $crate::body::part::Part>::take($fields, &$at.child($element))?
    };
    (take $type:ty, $at:ident, $fields:ident; wrap $element:literal) => {
        <$type as $crate::body::part::Part>::take($fields, &$at.wrapper($element))?
    };
    (take $type:ty, $at:ident, $fields:ident; choice) => {
        <$type as $crate::body::part::Choice>::take_choice($fields, $at)?
    };
    (give $value:expr, $at:ident, $fields:ident; choice) => {
        $crate::body::part::Choice::give_choice(&$value, $at, $fields)
    };
    (give $value:expr, $at:ident, $fields:ident; wrap $element:literal) => {
        $crate::body::part::Part::give(&$value, &$at.wrapper($element), $fields)
    };
    (give $value:expr, $at:ident, $fields:ident; $element:literal) => {
        $crate::body::part::Part::give(&$value, &$at.child($element), $fields)
    };
    (read $type:ty, $children:ident; choice) => {
        <$type as $crate::body::part::Choice>::read_choice(&mut $children)?
    };
    (read $type:ty, $children:ident; $(wrap)? $element:literal) => {
        <$type as $crate::body::part::Part>::read(&mut $children, $element)?
    };
    (when execution $value:expr) => {
        $value
    };
    (when $field:ident $value:expr) => {
        None
    };
    (sample $draw:ident; choice) => {
        $crate::body::part::Choice::sample_choice($draw)
    };
    (sample $draw:ident; $(wrap)? $element:literal) => {
        $crate::body::part::Part::sample($draw)
    };
    (write $value:expr; choice) => {
        $crate::body::part::Choice::write_choice(&$value)
    };
    (write $value:expr; $(wrap)? $element:literal) => {
        $crate::body::part::Part::write(&$value, $element)
    };
}

/// One of several elements, as an enum: `Variant(Type) = "Element"`.
///
/// A script chooses by the fields it gives. Where alternatives share fields, `if ["A", "B"]` says which fields tell: all of
/// them, and the first alternative that has its fields is taken.
macro_rules! choice {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $(
                $(#[$vmeta:meta])*
                $variant:ident($type:ty) = $($how:ident)? $element:literal $(if [$($tell:literal),+])?,
            )+
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$vmeta])* $variant($type),)+
        }

        impl $crate::body::part::Choice for $name {
            fn list_choice(at: &$crate::body::part::At, known: &mut Vec<$crate::body::KnownField>) {
                let at = &at.clone().optional();
                $(member!(list $type, at, known; $($how)? $element);)+
            }

            fn given_choice(
                fields: &$crate::body::fields::FieldReader<'_>,
                at: &$crate::body::part::At,
            ) -> bool {
                false $(|| member!(given $type, at, fields; $($how)? $element))+
            }

            fn take_choice(
                fields: &mut $crate::body::fields::FieldReader<'_>,
                at: &$crate::body::part::At,
            ) -> Result<Self, $crate::body::FieldError> {
                $(if told!(fields, at, $type; $($how)? $element; $($($tell),+)?) {
                    return Ok($name::$variant(member!(take $type, at, fields; $($how)? $element)));
                })+
                let mut known = Vec::new();
                $name::list_choice(at, &mut known);
                Err(fields.none_of(&known))
            }

            fn give_choice(
                &self,
                at: &$crate::body::part::At,
                fields: &mut std::collections::BTreeMap<String, String>,
            ) {
                match self {
                    $($name::$variant(value) => member!(give *value, at, fields; $($how)? $element),)+
                }
            }

            fn comes_next(children: &$crate::xml::Cursor<'_>) -> bool {
                false $(|| children.peek($crate::xml::Space::Sr, $element))+
            }

            fn read_choice(
                children: &mut $crate::xml::Cursor<'_>,
            ) -> Result<Self, $crate::xml::SchemaError> {
                $(if children.peek($crate::xml::Space::Sr, $element) {
                    return Ok($name::$variant($crate::body::part::Part::read(children, $element)?));
                })+
                Err(children.unexpected(&[$($element),+].join(" or ")))
            }

            fn write_choice(&self) -> Vec<$crate::xml::Element> {
                match self {
                    $($name::$variant(value) => $crate::body::part::Part::write(value, $element),)+
                }
            }

            fn sample_choice(draw: &mut $crate::examples::Draw<'_>) -> Self {
                let samples: &[fn(&mut $crate::examples::Draw<'_>) -> Self] =
                    &[$(|draw| $name::$variant($crate::body::part::Part::sample(draw))),+];
                draw.one_of(samples)(draw)
            }
        }

        content_of_choice!($name);
    )+};
}

/// One of several pairs of elements that stand side by side, as an enum: `Variant(Type, Type) = "Element", "Element"`.
macro_rules! pair_choice {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $(
                $(#[$vmeta:meta])*
                $variant:ident($type:ty, $type2:ty) =
                    $($how:ident)? $element:literal, $($how2:ident)? $element2:literal $(if [$($tell:literal),+])?;
            )+
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$vmeta])* $variant($type, $type2),)+
        }

        impl $crate::body::part::Choice for $name {
            fn list_choice(at: &$crate::body::part::At, known: &mut Vec<$crate::body::KnownField>) {
                let at = &at.clone().optional();
                $(
                    member!(list $type, at, known; $($how)? $element);
                    member!(list $type2, at, known; $($how2)? $element2);
                )+
            }

            fn given_choice(
                fields: &$crate::body::fields::FieldReader<'_>,
                at: &$crate::body::part::At,
            ) -> bool {
                false $(
                    || member!(given $type, at, fields; $($how)? $element)
                    || member!(given $type2, at, fields; $($how2)? $element2)
                )+
            }

            fn take_choice(
                fields: &mut $crate::body::fields::FieldReader<'_>,
                at: &$crate::body::part::At,
            ) -> Result<Self, $crate::body::FieldError> {
                $(if told!(fields, at, $type; $($how)? $element; $($($tell),+)?) {
                    return Ok($name::$variant(
                        member!(take $type, at, fields; $($how)? $element),
                        member!(take $type2, at, fields; $($how2)? $element2),
                    ));
                })+
                let mut known = Vec::new();
                $name::list_choice(at, &mut known);
                Err(fields.none_of(&known))
            }

            fn give_choice(
                &self,
                at: &$crate::body::part::At,
                fields: &mut std::collections::BTreeMap<String, String>,
            ) {
                match self {
                    $($name::$variant(first, second) => {
                        member!(give *first, at, fields; $($how)? $element);
                        member!(give *second, at, fields; $($how2)? $element2);
                    })+
                }
            }

            fn comes_next(children: &$crate::xml::Cursor<'_>) -> bool {
                false $(|| children.peek($crate::xml::Space::Sr, $element))+
            }

            fn read_choice(
                children: &mut $crate::xml::Cursor<'_>,
            ) -> Result<Self, $crate::xml::SchemaError> {
                $(if children.peek($crate::xml::Space::Sr, $element) {
                    let first = $crate::body::part::Part::read(children, $element)?;
                    return Ok($name::$variant(first, $crate::body::part::Part::read(children, $element2)?));
                })+
                Err(children.unexpected(&[$($element),+].join(" or ")))
            }

            fn write_choice(&self) -> Vec<$crate::xml::Element> {
                match self {
                    $($name::$variant(first, second) => [
                        $crate::body::part::Part::write(first, $element),
                        $crate::body::part::Part::write(second, $element2),
                    ]
                    .concat(),)+
                }
            }

            fn sample_choice(draw: &mut $crate::examples::Draw<'_>) -> Self {
                let samples: &[fn(&mut $crate::examples::Draw<'_>) -> Self] = &[$(|draw| {
                    let first = $crate::body::part::Part::sample(draw);
                    $name::$variant(first, $crate::body::part::Part::sample(draw))
                }),+];
                draw.one_of(samples)(draw)
            }
        }
    )+};
}

/// Whether a script means this alternative.
macro_rules! told {
    ($fields:ident, $at:ident, $type:ty; $($how:ident)? $element:literal;) => {
        member!(given $type, $at, $fields; $($how)? $element)
    };
    ($fields:ident, $at:ident, $type:ty; $($how:ident)? $element:literal; $($tell:literal),+) => {
        true $(&& $fields.mentions(&$at.child($tell).name()))+
    };
}

/// An element with nothing in it but one of several elements.
macro_rules! content_of_choice {
    ($name:ident) => {
        impl $crate::body::part::Value for $name {
            fn list(at: &$crate::body::part::At, known: &mut Vec<$crate::body::KnownField>) {
                <$name as $crate::body::part::Choice>::list_choice(at, known);
            }

            fn given(fields: &$crate::body::fields::FieldReader<'_>, at: &$crate::body::part::At) -> bool {
                <$name as $crate::body::part::Choice>::given_choice(fields, at)
            }

            fn take(
                fields: &mut $crate::body::fields::FieldReader<'_>,
                at: &$crate::body::part::At,
            ) -> Result<Self, $crate::body::FieldError> {
                <$name as $crate::body::part::Choice>::take_choice(fields, at)
            }

            fn give(
                &self,
                at: &$crate::body::part::At,
                fields: &mut std::collections::BTreeMap<String, String>,
            ) {
                $crate::body::part::Choice::give_choice(self, at, fields);
            }

            fn read(
                element: &$crate::xml::Reading<'_>,
                attributes: &[&str],
            ) -> Result<Self, $crate::xml::SchemaError> {
                let mut children = element.children(attributes)?;
                let chosen = <$name as $crate::body::part::Choice>::read_choice(&mut children)?;
                children.finish()?;
                Ok(chosen)
            }

            fn write(&self, element: $crate::xml::Element) -> $crate::xml::Element {
                element.with_all($crate::body::part::Choice::write_choice(self))
            }

            fn sample(draw: &mut $crate::examples::Draw<'_>) -> Self {
                $crate::body::part::Choice::sample_choice(draw)
            }
        }
    };
}
