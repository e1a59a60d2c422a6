package access_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mybeacon/engine/access"
	"mybeacon/schema"
)

func principals() *rapid.Generator[access.Principal] {
	return rapid.Custom(func(t *rapid.T) access.Principal {
		p := member(rapid.SampledFrom(append(access.Roles(), "", "landlord")).Draw(t, "role"))
		p.SuperAdmin = rapid.Bool().Draw(t, "super-admin")
		if p.SuperAdmin {
			p.Organisation, p.Acting = schema.OrganisationID{}, rapid.Bool().Draw(t, "acting")
		}
		if p.Acting {
			p.Organisation = firm
		}
		p.ReadOnly, p.Limited, p.Key = rapid.Bool().Draw(t, "read-only"), rapid.Bool().Draw(t, "limited"), rapid.Bool().Draw(t, "key")
		p.Grants = nil
		for _, l := range []schema.LocationID{hall, yard} {
			if rapid.Bool().Draw(t, "granted") {
				p.Grants = append(p.Grants, access.Grant{Location: l, Write: rapid.Bool().Draw(t, "write")})
			}
		}
		p.Products = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"ble", "wifi"}), rapid.ID[string]).Draw(t, "products")
		if p.Key {
			p.Only = rapid.SliceOfDistinct(rapid.SampledFrom(all()), rapid.ID[access.Action]).Draw(t, "only")
		}
		return p
	})
}

func objects() *rapid.Generator[access.Object] {
	return rapid.Custom(func(t *rapid.T) access.Object {
		return access.Object{
			Organisation: rapid.SampledFrom([]schema.OrganisationID{{}, firm, other}).Draw(t, "organisation"),
			Location:     rapid.SampledFrom([]schema.LocationID{{}, hall, yard}).Draw(t, "location"),
			Unplaced:     rapid.Bool().Draw(t, "unplaced"),
			Product:      rapid.SampledFrom([]string{"", "ble", "wifi"}).Draw(t, "product"),
		}
	})
}

// restrictions take something from a principal. Each returns a new one.
var restrictions = map[string]func(access.Principal) access.Principal{
	"read-only mode": func(p access.Principal) access.Principal { p.ReadOnly = true; return p },
	"one location less": func(p access.Principal) access.Principal {
		p.Limited, p.Grants = true, p.Grants[:max(len(p.Grants)-1, 0)]
		return p
	},
	"looking only": func(p access.Principal) access.Principal {
		p.Limited, p.Grants = true, slices.Clone(p.Grants)
		for i := range p.Grants {
			p.Grants[i].Write = false
		}
		return p
	},
	"a product less": func(p access.Principal) access.Principal {
		p.Products = p.Products[:max(len(p.Products)-1, 0)]
		return p
	},
	"an action less": func(p access.Principal) access.Principal {
		if !p.Key {
			p.Key, p.Only = true, all()
		}
		p.Only = p.Only[:max(len(p.Only)-1, 0)]
		return p
	},
	"switching back": func(p access.Principal) access.Principal {
		if p.SuperAdmin {
			p.Acting, p.Organisation = false, schema.OrganisationID{}
		}
		return p
	},
	"the least role": func(p access.Principal) access.Principal {
		if slices.Contains(access.Roles(), p.Role) {
			p.Role = access.Viewer
		}
		return p
	},
}

// Taking something away never allows more.
func TestRestrictionsAllowNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, o, a := principals().Draw(t, "principal"), objects().Draw(t, "object"), rapid.SampledFrom(all()).Draw(t, "action")
		if p.Limited && !p.SuperAdmin && p.Everywhere() {
			t.Fatal("a limited principal sees everywhere")
		}
		before := access.Decide(p, a, o)
		for name, restrict := range restrictions {
			if name == "one location less" && !p.Limited && !p.Everywhere() {
				continue // of none
			}
			if after := access.Decide(restrict(p), a, o); after.Verdict == access.Allowed && before.Verdict != access.Allowed {
				t.Fatalf("%s allows %s to %+v on %+v: %v before", name, a, p, o, before)
			}
		}
	})
}

// What is allowed on an object is allowed at all: routes ask that first.
func TestAllowedSomewhereIsAllowedAtAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, o, a := principals().Draw(t, "principal"), objects().Draw(t, "object"), rapid.SampledFrom(all()).Draw(t, "action")
		if access.Decide(p, a, o).Verdict == access.Allowed && access.Decide(p, a, access.Object{Product: o.Product}).Verdict != access.Allowed {
			t.Fatalf("%s on %+v, but not at all, by %+v", a, o, p)
		}
	})
}
