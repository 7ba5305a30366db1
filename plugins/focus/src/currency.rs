//! Currencies as FOCUS writes them: "a three-letter alphabetic code as dictated in the governing document ISO 4217" (FOCUS 1.2, "Currency
//! Format").

use drops::nearest;

/// The codes of ISO 4217:2015, list one, that stand for money of a country or of several: without metals, bonds, units of account, the
/// code for tests and the one for none ("expressed in national currency", FOCUS 1.2, "Billing Currency"). Those that were withdrawn lately
/// are still there, since months of that time are billed in them.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE \
     CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ \
     GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD \
     MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG \
     QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD \
     TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL";

/// Why this is no currency; nothing if it is one.
pub(crate) fn objection(text: &str) -> Option<String> {
    if CODES.split(' ').any(|code| code == text) {
        return None;
    }
    let shown = text.escape_debug();
    let words = "is no currency: ISO 4217 gives each three capital letters";
    // Of three letters, two that are right may mean any.
    let meant = nearest(text, CODES.split(' ')).filter(|_| text.len() == 3);
    Some(match meant {
        Some(meant) => format!("\"{shown}\" {words}; {meant} is one"),
        None => format!("\"{shown}\" {words}, such as USD or EUR"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_three_capital_letters_that_iso_4217_knows() {
        assert!(CODES.split(' ').is_sorted_by(|left, right| left < right));
        assert!(CODES.split(' ').all(|code| code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase())));
        for good in ["USD", "EUR", "JPY", "CHF", "XOF"] {
            assert_eq!(objection(good), None);
        }
        for (bad, said) in [
            ("usd", "USD is one"),
            ("Eur", "EUR is one"),
            ("EUX", "EUR is one"),
            ("", "such as"),
            ("XXX", "\"XXX\" is no currency"),
            ("dollars", "such as USD or EUR"),
            ("US D", "such as"),
        ] {
            let found = objection(bad).unwrap_or_default();
            assert!(found.contains(said), "{bad}: {found}");
        }
    }
}
